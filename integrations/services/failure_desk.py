"""Open failures by cause, over all tenants or one: how many, how old, tried how often, tried when again.

A cause is one code at one connection. What is mended or put aside is no part of it, so causes leave by themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet
from django.utils import timezone

from integrations.errors import ConfigurationError
from integrations.gateway import registry
from integrations.models import Extension, FailureCare, Health, SyncRow, Verdict
from integrations.services import cause_advice, run_history
from integrations.services.cause_advice import Advice
from portal.tenancy.models import Tenant

PAGE = 50
AGES = {"day": timedelta(days=1), "week": timedelta(days=7)}
SORTS = {"count": ("-rows", "run__extension", "code"), "age": ("oldest", "run__extension", "code")}
HELD_DAYS = 30  # every full run writes down anew whom it held


@dataclass(frozen=True)
class Wanted:
    """What the desk shows. `owner` is "mine", "nobody" or ""; `age` a key of AGES; `sort` one of SORTS."""

    tenant: str = ""
    code: str | None = None
    owner: str = ""
    user_id: int | None = None
    age: str = ""
    sort: str = "count"
    page: int = 0


@dataclass(frozen=True)
class Standing:
    """How often it was tried at most, when something of it is tried next, and how many are on their way."""

    attempts: int = 0
    next_at: datetime | None = None
    moving: int = 0


@dataclass(frozen=True)
class Cause:
    extension: Extension
    code: str
    words: str
    rows: int
    people: int
    oldest: datetime
    newest: datetime
    newest_run: int
    refused: int
    advice: Advice
    standing: Standing = field(default_factory=Standing)
    care: FailureCare | None = None

    @property
    def next_words(self) -> str:
        """Empty where there is a time to tell: `standing.next_at`."""
        return next_words(self.extension, self.standing, is_refused=self.refused > 0)


@dataclass(frozen=True)
class Desk:
    causes: Sequence[Cause]
    has_more: bool = False


def open_rows(extension: Extension | int, code: str) -> QuerySet[SyncRow]:
    """The rows of one cause."""
    return run_history.open_failures().filter(run__extension=extension, code=code)


def causes(wanted: Wanted | None = None, *, tenant: Tenant | None = None) -> Desk:
    """One page of causes, with all that is told of them: four queries, however many there are."""
    wanted = wanted or Wanted()
    found = _filtered(run_history.open_failures(tenant), wanted)
    groups = _groups(found).order_by(*SORTS.get(wanted.sort, SORTS["count"]))
    if wanted.age in AGES:
        groups = groups.filter(oldest__lt=timezone.now() - AGES[wanted.age])
    start = wanted.page * PAGE
    page = list(groups[start : start + PAGE + 1])
    return Desk(_told(page[:PAGE]), len(page) > PAGE)


def held(tenant: Tenant | None = None) -> list[Cause]:
    """Whom we did not send of late, by reason: they wait for other data, and for nobody here."""
    since = timezone.now() - timedelta(days=HELD_DAYS)
    found = SyncRow.objects.filter(
        verdict=Verdict.HELD, healed_at=None, dismissal=None, created_at__gte=since
    )
    if tenant is not None:
        found = found.filter(run__extension__tenant=tenant)
    return _told(list(_groups(found).order_by("-people")[:PAGE]), with_standing=False)


def one(extension_id: int, code: str) -> Cause | None:
    """One cause, or None where nothing of it is open."""
    found = _told(list(_groups(open_rows(extension_id, code))))
    return found[0] if found else None


def totals() -> dict[str, int]:
    """Rows and people over all tenants."""
    return dict(
        run_history.open_failures().aggregate(rows=Count("pk"), people=Count("member", distinct=True))
    )


def _filtered(found: QuerySet[SyncRow], wanted: Wanted) -> QuerySet[SyncRow]:
    if wanted.tenant:
        found = found.filter(run__extension__tenant__slug=wanted.tenant)
    if wanted.code is not None:
        found = found.filter(code=wanted.code)
    cares = FailureCare.objects.filter(extension=OuterRef("run__extension"), code=OuterRef("code"))
    if wanted.owner == "mine":
        found = found.filter(Exists(cares.filter(owner=wanted.user_id)))
    if wanted.owner == "nobody":
        found = found.filter(~Exists(cares.filter(owner__isnull=False)))
    return found


def _groups(found: QuerySet[SyncRow]) -> Any:
    return found.values("run__extension", "code").annotate(
        rows=Count("pk"),
        people=Count("member", distinct=True),
        oldest=Min("created_at"),
        newest=Max("created_at"),
        words=Max("words"),
        newest_run=Max("run"),
        refused=Count("pk", filter=Q(verdict=Verdict.REJECTED)),
    )


def _told(groups: Sequence[Any], *, with_standing: bool = True) -> list[Cause]:
    """The groups with their connections, owners and next tries."""
    pairs = [(int(group["run__extension"]), str(group["code"])) for group in groups]
    if not pairs:
        return []
    ids = {extension_id for extension_id, _ in pairs}
    extensions = (
        Extension.objects.select_related("tenant").defer("secret", "refresh_token").in_bulk(list(ids))
    )
    cares = {
        (care.extension_id, care.code): care
        for care in FailureCare.objects.select_related("owner").filter(extension__in=ids)
    }
    standings = _standings(pairs) if with_standing else {}
    return [
        Cause(
            extension=extensions[pair[0]],
            code=pair[1],
            advice=advice(extensions[pair[0]], pair[1]),
            standing=standings.get(pair, Standing()),
            care=cares.get(pair),
            **{
                name: group[name]
                for name in ("words", "rows", "people", "oldest", "newest", "newest_run", "refused")
            },
        )
        for pair, group in zip(pairs, groups, strict=True)
    ]


def advice(extension: Extension, code: str) -> Advice:
    try:
        own = registry.get(extension.destination).cause_help
    except ConfigurationError:
        own = {}
    return cause_advice.of(code, own)


NEXT_TRY = """
    CASE WHEN r.delivery_id IS NULL AND sp.due_at IS NOT NULL THEN greatest(sp.due_at, sp.not_before, now())
         WHEN d.state = 'open' THEN greatest(d.not_before, now()) END
"""


def _standings(pairs: Sequence[tuple[int, str]]) -> dict[tuple[int, str], Standing]:
    """Tries and next tries of the causes, from the marks that the engine works by."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT run.extension_id, r.code, max(greatest(sp.failures, b.attempts, 1)), min({NEXT_TRY}),
                   count(*) FILTER (WHERE sp.in_flight IS NOT NULL OR d.state = 'sending')
            FROM integrations_syncrow r
            JOIN integrations_syncrun run ON run.id = r.run_id
            JOIN unnest(%s::bigint[], %s::text[]) AS wanted(extension_id, code)
              ON wanted.extension_id = run.extension_id AND wanted.code = r.code
            LEFT JOIN integrations_sentprofile sp
              ON sp.extension_id = run.extension_id AND sp.member_id = r.member_id AND r.delivery_id IS NULL
            LEFT JOIN integrations_delivery d ON d.id = r.delivery_id
            LEFT JOIN integrations_syncbatch b ON b.id = r.batch_id
            WHERE r.verdict IN ('rejected', 'failed') AND r.healed_at IS NULL AND r.dismissal_id IS NULL
            GROUP BY run.extension_id, r.code
            """,
            [[extension_id for extension_id, _ in pairs], [code for _, code in pairs]],
        )
        return {(row[0], row[1]): Standing(*row[2:]) for row in cursor.fetchall()}


def next_words(extension: Extension, standing: Standing, *, is_refused: bool) -> str:
    """Why there is no time of a next try to tell; empty where there is one."""
    if not extension.is_active:
        return "not while the connection is off"
    if extension.health == Health.ATTENTION:
        return "not before the connection is mended"
    if standing.moving:
        return "on their way now"
    if standing.next_at is None:
        return f"not by itself: {'waits for a change of data' if is_refused else 'given up, re-run these'}"
    return "any moment" if standing.next_at <= timezone.now() else ""
