"""The engine's rows, one file per noun."""

from integrations.models.deliveries import Delivery, DeliveryState
from integrations.models.erasures import Erasure
from integrations.models.extensions import AuthMethod, Extension, Health, MergePolicy
from integrations.models.lanes import Lane, LaneName
from integrations.models.mappings import AudienceMapping, EventMapping, FieldMapping
from integrations.models.rates import RateWindow
from integrations.models.runs import (
    BatchState,
    RunKind,
    RunStatus,
    RunTrigger,
    SyncBatch,
    SyncRow,
    SyncRun,
    Verdict,
)
from integrations.models.sent import SentMembership, SentProfile

__all__ = [
    "AudienceMapping",
    "AuthMethod",
    "BatchState",
    "Delivery",
    "DeliveryState",
    "Erasure",
    "EventMapping",
    "Extension",
    "FieldMapping",
    "Health",
    "Lane",
    "LaneName",
    "MergePolicy",
    "RateWindow",
    "RunKind",
    "RunStatus",
    "RunTrigger",
    "SentMembership",
    "SentProfile",
    "SyncBatch",
    "SyncRow",
    "SyncRun",
    "Verdict",
]
