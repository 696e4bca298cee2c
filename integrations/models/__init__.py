"""The engine's rows, one file per noun."""

from integrations.models.alerts import AlertChannel, AlertMessage, AlertSettings, Incident, IncidentKind
from integrations.models.deliveries import Delivery, DeliveryState
from integrations.models.erasures import Erasure
from integrations.models.extensions import AuthMethod, Extension, Health, MergePolicy
from integrations.models.failures import Dismissal, FailureCare
from integrations.models.lanes import Lane, LaneName
from integrations.models.mappings import AudienceMapping, EventMapping, FieldMapping, RetiredProperty
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
from integrations.models.samples import FreshnessSample, RateSample
from integrations.models.sent import SentMembership, SentProfile
from integrations.models.sign_ins import SignInAttempt

__all__ = [
    "AlertChannel",
    "AlertMessage",
    "AlertSettings",
    "AudienceMapping",
    "AuthMethod",
    "BatchState",
    "Delivery",
    "DeliveryState",
    "Dismissal",
    "Erasure",
    "EventMapping",
    "Extension",
    "FailureCare",
    "FieldMapping",
    "FreshnessSample",
    "Health",
    "Incident",
    "IncidentKind",
    "Lane",
    "LaneName",
    "MergePolicy",
    "RateSample",
    "RateWindow",
    "RetiredProperty",
    "RunKind",
    "RunStatus",
    "RunTrigger",
    "SentMembership",
    "SentProfile",
    "SignInAttempt",
    "SyncBatch",
    "SyncRow",
    "SyncRun",
    "Verdict",
]
