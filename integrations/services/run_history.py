"""Reading what happened: runs, their rows, failures by cause, days. Nothing here changes a row."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo

from django.db.models import Count, Max, Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from integrations.errors import ConfigurationError
from integrations.gateway import registry
from integrations.models import Extension, RunKind, RunStatus, SyncRow, SyncRun, Verdict
from integrations.models.runs import OPEN_STATUSES
from portal.charts import Day
from portal.tenancy.models import Tenant

T = TypeVar("T")
TROUBLES = (Verdict.REJECTED, Verdict.FAILED)
NOT_ARRIVED = (*TROUBLES, Verdict.HELD)
HEAVY = ("extension__secret", "member_ids", "delivery_ids", "mappings")
STATUS_FILTERS: dict[str, tuple[RunStatus, ...]] = {
    "open": OPEN_STATUSES,
    "trouble": (RunStatus.PARTLY_FAILED, RunStatus.FAILED),
    "succeeded": (RunStatus.SUCCEEDED,),
}


@dataclass(frozen=True)
class Page(Generic[T]):
    """A page by keyset: `next_key` is where the next one begins, None at the end."""

    items: Sequence[T]
    next_key: int | None


def destination_name(extension: Extension) -> str:
    """What people call the other side, such as Klaviyo."""
    try:
        return registry.get(extension.destination).label
    except ConfigurationError:
        return extension.name


def runs() -> QuerySet[SyncRun]:
    """Runs with what their pages name, without the heavy columns."""
    return SyncRun.objects.select_related("extension__tenant", "started_by").defer(*HEAVY)


@dataclass(frozen=True)
class RunFilter:
    """What a list of runs shows. Live runs are folded away unless asked for."""

    status: str = ""
    kind: str = ""
    live: bool = False
    before: int | None = None


def page_of_runs(tenant: Tenant, wanted: RunFilter | None = None, *, size: int = 25) -> Page[SyncRun]:
    """Newest first."""
    wanted = wanted or RunFilter()
    found = runs().filter(extension__tenant=tenant)
    if not wanted.live:
        found = found.exclude(kind=RunKind.LIVE)
    if wanted.status in STATUS_FILTERS:
        found = found.filter(status__in=STATUS_FILTERS[wanted.status])
    if wanted.kind in RunKind.values:
        found = found.filter(kind=wanted.kind)
    if wanted.before is not None:
        found = found.filter(pk__lt=wanted.before)
    return _page(found.order_by("-pk"), size)


def _page(found: QuerySet[Any], size: int) -> Page[Any]:
    items = list(found[: size + 1])
    return Page(items[:size], items[size - 1].pk if len(items) > size else None)


@dataclass(frozen=True)
class Cause:
    """Rows of a run that share a reason."""

    verdict: str
    code: str
    words: str
    count: int
    healed: int


def causes(run: SyncRun) -> list[Cause]:
    """Why rows did not arrive, the most frequent first. Reads the index of rows that are not *sent*."""
    found = (
        SyncRow.objects.filter(run=run, verdict__in=NOT_ARRIVED)
        .values("verdict", "code")
        .annotate(
            count=Count("pk"), words=Max("words"), healed=Count("pk", filter=Q(healed_at__isnull=False))
        )
        .order_by("-count", "verdict", "code")
    )
    return [Cause(**row) for row in found]


def page_of_rows(
    run: SyncRun, *, verdict: str = "", code: str = "", after: int | None = None, size: int = 50
) -> Page[SyncRow]:
    found = SyncRow.objects.filter(run=run).select_related("member")
    if verdict in Verdict.values:
        found = found.filter(verdict=verdict)
    if code:
        found = found.filter(code=code)
    if after is not None:
        found = found.filter(pk__gt=after)
    return _page(found.order_by("pk"), size)


def failed_rows(run: SyncRun) -> Iterator[SyncRow]:
    """Every row that did not arrive, streamed."""
    found = SyncRow.objects.filter(run=run, verdict__in=NOT_ARRIVED)
    return found.select_related("member").order_by("pk").iterator(chunk_size=2000)


def rows_of_member(member_id: int, *, limit: int = 50) -> list[SyncRow]:
    """One person across all runs, newest first."""
    return list(SyncRow.objects.filter(member=member_id).order_by("-pk")[:limit])


def open_failures(tenant: Tenant | None = None) -> QuerySet[SyncRow]:
    """Rows that were refused or given up and that nothing has mended since."""
    troubled = SyncRun.objects.filter(Q(rejected__gt=0) | Q(failed__gt=0))
    if tenant is not None:
        troubled = troubled.filter(extension__tenant=tenant)
    return SyncRow.objects.filter(
        run__in=troubled.order_by().values("pk"), verdict__in=TROUBLES, healed_at__isnull=True
    )


def days(tenant: Tenant, *, count: int = 14) -> list[Day]:
    """Arrived, and not arrived, per day of the tenant; from the counters of runs, so it costs little."""
    zone = tenant.zone
    today = timezone.localdate(timezone=zone)
    first = today - timedelta(days=count - 1)
    found = (
        SyncRun.objects.for_tenant(tenant)
        .filter(created_at__gte=start_of(first, zone))
        .order_by()
        .annotate(day=TruncDate("created_at", tzinfo=zone))
        .values("day")
        .annotate(good=Sum("sent"), refused=Sum("rejected"), broken=Sum("failed"))
    )
    by_day = {row["day"]: Day(row["day"], row["good"], row["refused"] + row["broken"]) for row in found}
    dates = [first + timedelta(days=index) for index in range(count)]
    return [by_day.get(on, Day(on, 0, 0)) for on in dates]


def start_of(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, tzinfo=zone)
