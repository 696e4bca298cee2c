"""Whom a rule would hold now: how many, and some of them. Asked while somebody is typing, so it must not hang."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import OperationalError, transaction
from psycopg.errors import QueryCanceled

from loyalty import audience_query, fields
from loyalty.models import Audience, AudienceMember, Member
from loyalty.rules.audience_rules import Rule, fields_of
from loyalty.rules.windows import Calendar
from loyalty.services import rowset
from portal.tenancy.models import Tenant

SECONDS = 3
SAMPLES = 10


class TookTooLong(Exception):
    """The database was stopped before it had counted."""


@dataclass(frozen=True)
class Found:
    """`joining` and `leaving` are what saving would change; None for an audience that is not there yet."""

    total: int
    matching: int
    joining: int | None = None
    leaving: int | None = None


def count(
    tenant: Tenant, rule: Rule, now: datetime, *, audience: Audience | None = None, seconds: float = SECONDS
) -> Found:
    """How many members a rule holds, of how many; raises TookTooLong."""
    calendar = Calendar.at(now, tenant.zone)
    with _at_most(seconds):
        total = Member.objects.for_tenant(tenant).count()
        matching = audience_query.matching(tenant, rule, calendar)
        found = matching.count()
        if audience is None:
            return Found(total, found)
        current = AudienceMember.objects.filter(audience=audience, left_at=None)
        kept = current.filter(member__in=matching.values("pk")).count()
        return Found(total, found, joining=found - kept, leaving=current.count() - kept)


def samples(
    tenant: Tenant, rule: Rule, now: datetime, *, seconds: float = SECONDS
) -> list[tuple[Member, dict[str, Any]]]:
    """Some members whom the rule holds, each with the values of the fields it reads; raises TookTooLong."""
    keys = sorted(fields_of(rule))
    matching = audience_query.matching(tenant, rule, Calendar.at(now, tenant.zone))
    with _at_most(seconds):
        found = matching.annotate(values_now=fields.document({key: key for key in keys})).order_by("pk")
        return [(member, getattr(member, "values_now")) for member in found[:SAMPLES]]  # noqa: B009  # annotated


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Every statement inside ends after so long, and raises TookTooLong."""
    try:
        with transaction.atomic():
            (before,) = rowset.execute("SELECT current_setting('statement_timeout')")[0]
            _limit(f"{int(seconds * 1000)}ms")
            yield
            _limit(before)
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TookTooLong from error
        raise


def _limit(setting: str) -> None:
    rowset.execute("SELECT set_config('statement_timeout', %s, true)", [setting])
