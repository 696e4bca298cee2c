"""Reading what happened: runs, their rows, failures by cause, days. Nothing here changes a row."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
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
from loyalty.models import Member
from portal.charts import Day
from portal.tenancy.models import Tenant

T = TypeVar("T")
TROUBLES = (Verdict.REJECTED, Verdict.FAILED)
NOT_ARRIVED = (*TROUBLES, Verdict.HELD)
HEAVY = ("extension__secret", "extension__refresh_token", "member_ids", "delivery_ids", "mappings")
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
    """What a list of runs shows. The rolling live runs are folded away unless asked for.

    `by` is "people", "itself" or a person's id; `days` how many of the tenant's days back, today being 1.
    """

    status: str = ""
    kind: str = ""
    live: bool = False
    by: str = ""
    days: int | None = None
    before: int | None = None


def page_of_runs(tenant: Tenant, wanted: RunFilter | None = None, *, size: int = 25) -> Page[SyncRun]:
    """Newest first."""
    return _page(chosen_runs(tenant, wanted or RunFilter()), size)


def chosen_runs(tenant: Tenant, wanted: RunFilter) -> QuerySet[SyncRun]:
    """The tenant's runs that a filter lets through, newest first."""
    found = runs().filter(extension__tenant=tenant)
    if not wanted.live:
        found = found.exclude(kind=RunKind.LIVE, hour__isnull=False)
    if wanted.status in STATUS_FILTERS:
        found = found.filter(status__in=STATUS_FILTERS[wanted.status])
    if wanted.kind in RunKind.values:
        found = found.filter(kind=wanted.kind)
    if wanted.by:
        found = found.filter(_started_by(wanted.by))
    if wanted.days is not None:
        first = timezone.localdate(timezone=tenant.zone) - timedelta(days=wanted.days - 1)
        found = found.filter(created_at__gte=start_of(first, tenant.zone))
    if wanted.before is not None:
        found = found.filter(pk__lt=wanted.before)
    return found.order_by("-pk")


def _started_by(who: str) -> Q:
    """A filter that nobody knows lets all through."""
    if who.isascii() and who.isdigit() and len(who) < 19:
        return Q(started_by=int(who))
    return {"people": Q(started_by__isnull=False), "itself": Q(started_by=None)}.get(who, Q())


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


@dataclass(frozen=True)
class Mending:
    """What became since of a run's rows that did not arrive.

    `by_run`: how many a later run mended (None: one that is not known any more), the most first. `open` are
    refused or given up and nobody's yet, `held` are held back still, `aside` a person put aside.
    """

    by_run: tuple[tuple[int | None, int], ...] = ()
    open: int = 0
    held: int = 0
    aside: int = 0


def mending(run_ids: Iterable[int]) -> dict[int, Mending]:
    """What became since of the rows of these runs that did not arrive, by run; one query."""
    left = Q(healed_at=None, dismissal=None)
    found = (
        SyncRow.objects.filter(run__in=list(run_ids), verdict__in=NOT_ARRIVED)
        .values("run_id", "healed_by_id")
        .annotate(
            mended=Count("pk", filter=Q(healed_at__isnull=False)),
            open=Count("pk", filter=left & ~Q(verdict=Verdict.HELD)),
            held=Count("pk", filter=left & Q(verdict=Verdict.HELD)),
            aside=Count("pk", filter=Q(healed_at=None, dismissal__isnull=False)),
        )
    )
    groups: dict[int, list[Any]] = defaultdict(list)
    for row in found:
        groups[row["run_id"]].append(row)
    return {run_id: _mending(rows) for run_id, rows in groups.items()}


def _mending(rows: Sequence[Any]) -> Mending:
    by_run = [(row["healed_by_id"], row["mended"]) for row in rows if row["mended"]]
    return Mending(
        tuple(sorted(by_run, key=lambda pair: -pair[1])),
        *(sum(row[name] for row in rows) for name in ("open", "held", "aside")),
    )


def reruns_of(run: SyncRun, *, limit: int = 10) -> list[SyncRun]:
    """The runs that were started to do this one again, newest first."""
    return list(runs().filter(parent=run).order_by("-pk")[:limit])


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
    """Rows that were refused or given up, that nothing has mended since and that nobody put aside.

    The conditions are those of the partial index row_open_failure, so what is mended costs nothing here.
    """
    found = SyncRow.objects.filter(verdict__in=TROUBLES, healed_at__isnull=True, dismissal=None)
    return found if tenant is None else found.filter(run__extension__tenant=tenant)


def members_not_arrived(found: QuerySet[Member], tenant: Tenant) -> QuerySet[Member]:
    """Those of the members who have an open failure; a filter of the list of members."""
    return found.filter(pk__in=open_failures(tenant).values("member"))


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
