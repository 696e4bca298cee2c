"""Happenings to be told to every connection, written with the rows they tell of."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from loyalty.models import OutboxEvent
from loyalty.rules.event_kinds import payload
from loyalty.services import rowset


@dataclass(frozen=True)
class Happening:
    """`values` are those of its kind (loyalty/rules/event_kinds.py); `source` names the row it tells of."""

    member_id: int
    kind: str
    values: Mapping[str, object]
    occurred_at: datetime
    source: str


def append(tenant_id: int, happenings: Sequence[Happening], *, history: bool = False) -> None:
    """Write one event each, in their order. A happening that was told before is not told again."""
    now = timezone.now()
    names = (
        "tenant",
        "member",
        "kind",
        "uid",
        "properties",
        "occurred_at",
        "history",
        "source",
        "created_at",
    )
    rows = [
        (tenant_id, told.member_id, told.kind, uuid.uuid4(), payload(told.kind, told.values),
         told.occurred_at, history, told.source, now)
        for told in happenings
    ]  # fmt: skip
    tail = "ON CONFLICT (tenant_id, kind, source) WHERE NOT (source = '') DO NOTHING"
    rowset.insert(OutboxEvent, names, rows, tail=tail)
