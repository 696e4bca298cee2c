"""Who belongs to which audience, since when: rows that follow the rules, set by set."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from math import inf
from time import monotonic

from django.db import transaction
from django.db.models import BooleanField, Exists, ExpressionWrapper, F, OuterRef, Q
from django.utils import timezone

from loyalty import audience_query
from loyalty.models import Audience, AudienceMember, Member
from loyalty.rules.audience_rules import RuleError
from loyalty.rules.windows import Calendar
from loyalty.services import rowset
from loyalty.services.locks import lock
from loyalty.services.marks import mark_dirty
from loyalty.services.results import RefreshCounts, StaticResult
from portal.tenancy.models import Tenant

logger = logging.getLogger(__name__)
CHUNK = 10_000

# `verdict` has a member a row and a column for each rule. What is wrong is found by one join, so that no
# plan can compare every member with every other, however little PostgreSQL knows of the tables yet.
_FOLLOW = """
WITH verdict AS MATERIALIZED ({verdict}),
wrong AS MATERIALIZED (
    SELECT listed.audience_id, verdict.id AS member_id, stay.id AS stay_id
    FROM verdict CROSS JOIN LATERAL (VALUES {listed}) AS listed(audience_id, holds)
    LEFT JOIN loyalty_audiencemember AS stay
      ON stay.audience_id = listed.audience_id AND stay.member_id = verdict.id AND stay.left_at IS NULL
    WHERE listed.holds <> (stay.id IS NOT NULL)
),
joined AS (
    INSERT INTO loyalty_audiencemember (audience_id, member_id, joined_at)
    SELECT audience_id, member_id, %s FROM wrong WHERE stay_id IS NULL
    ON CONFLICT DO NOTHING RETURNING member_id
),
gone AS (
    UPDATE loyalty_audiencemember AS stay SET left_at = greatest(%s, stay.joined_at)
    FROM wrong WHERE stay.id = wrong.stay_id RETURNING stay.member_id
)
SELECT true, member_id FROM joined UNION ALL SELECT false, member_id FROM gone
"""


def follow(tenant: Tenant, member_ids: Collection[int], *, now: datetime | None = None) -> RefreshCounts:
    """Let every rule audience take in or let go these members, whom the caller has locked and marks dirty."""
    rules = _rules(tenant, None, now or timezone.now())
    return _follow(tenant, rules, member_ids, now or timezone.now())[0]


def refresh(
    tenant: Tenant,
    *,
    audience_ids: Collection[int] | None = None,
    member_ids: Collection[int] | None = None,
    seconds: float = inf,
) -> RefreshCounts:
    """Make rule audiences hold exactly the members who fulfil their rules; mark those who joined or left.

    Some thousands of members a transaction; safe to repeat after it was cut short. Audiences by default
    all of the tenant, members likewise. The rule alone decides: state is a field like any other.
    Ends after about so many `seconds`, and says so.
    """
    began = monotonic()
    now = timezone.now()
    rules = _rules(tenant, audience_ids, now)
    counts = RefreshCounts()
    wanted = sorted(set(member_ids)) if member_ids is not None else _movers(tenant, rules)
    for at in range(0, len(wanted), CHUNK):
        if monotonic() - began > seconds:
            return replace(counts, is_complete=False)
        with transaction.atomic():
            done, changed = _follow(tenant, rules, lock(wanted[at : at + CHUNK], tenant=tenant), now)
            mark_dirty(tenant.pk, changed)
            counts += done
    if member_ids is None:
        Audience.objects.filter(pk__in=rules).update(refreshed_at=now)
    return counts


def preview_count(tenant: Tenant, raw: object) -> int:
    """How many members a rule would hold now; raises RuleError."""
    calendar = Calendar.at(timezone.now(), tenant.zone)
    return audience_query.matching(tenant, audience_query.parse(raw), calendar).count()


@transaction.atomic
def change_static(audience: Audience, *, add: Sequence[str], remove: Sequence[str]) -> StaticResult:
    """Add and remove members of a static audience by external id; who is in both lists is removed."""
    if not audience.is_static:
        raise ValueError(f"“{audience.name}” follows a rule. Only a static audience can be changed by hand.")
    named = dict(
        Member.objects.filter(tenant=audience.tenant_id, external_id__in={*add, *remove}).values_list(
            "external_id", "pk"
        )
    )
    present = set(lock(list(named.values()), tenant=audience.tenant))
    current = set(
        AudienceMember.objects.filter(audience=audience, left_at=None, member__in=present).values_list(
            "member_id", flat=True
        )
    )
    ids = {name: member_id for name, member_id in named.items() if member_id in present}
    leaving = {ids[name] for name in remove if name in ids}
    adding = {ids[name] for name in add if name in ids} - leaving
    now = timezone.now()
    joined = sorted(adding - current)
    rowset.insert(
        AudienceMember,
        ("audience", "member", "joined_at"),
        [(audience.pk, member_id, now) for member_id in joined],
    )
    gone = leaving & current
    rowset.execute(
        "UPDATE loyalty_audiencemember SET left_at = greatest(%s, joined_at)"
        " WHERE audience_id = %s AND member_id = ANY(%s::bigint[]) AND left_at IS NULL",
        [now, audience.pk, sorted(gone)],
    )
    mark_dirty(audience.tenant_id, [*joined, *gone])
    return StaticResult(
        added=len(joined),
        removed=len(gone),
        already=len(adding & current),
        not_members=tuple(name for name in dict.fromkeys(remove) if name in ids and ids[name] not in current),
        unknown=tuple(name for name in dict.fromkeys([*add, *remove]) if name not in ids),
    )


def _rules(tenant: Tenant, audience_ids: Collection[int] | None, now: datetime) -> dict[int, Q]:
    """The rule of each audience as a filter. One that cannot be read stops nothing: it is left as it is."""
    listed = Audience.objects.filter(tenant=tenant, is_static=False).order_by("pk")
    if audience_ids is not None:
        listed = listed.filter(pk__in=audience_ids)
    calendar = Calendar.at(now, tenant.zone)
    rules = {}
    for audience in listed:
        try:
            rules[audience.pk] = audience_query.compiled(audience_query.parse(audience.rule), calendar)
        except RuleError:
            logger.exception("Audience %s has a rule that cannot be used", audience.pk)
    return rules


def _follow(
    tenant: Tenant, rules: dict[int, Q], member_ids: Collection[int], now: datetime
) -> tuple[RefreshCounts, set[int]]:
    if not rules or not member_ids:
        return RefreshCounts(), set()
    ids = list(member_ids)
    columns = {
        f"rule_{audience_id}": ExpressionWrapper(rule, output_field=BooleanField())
        for audience_id, rule in rules.items()
    }
    judged = Member.objects.filter(tenant=tenant, pk__in=ids).annotate(**columns).values("id", *columns)
    verdict, params = judged.query.sql_with_params()
    listed = ", ".join(f"({audience_id}::bigint, verdict.rule_{audience_id})" for audience_id in rules)
    statement = _FOLLOW.replace("{verdict}", verdict).replace("{listed}", listed)
    moved = rowset.execute(statement, [*params, now, now])
    joined = sum(has_joined for has_joined, _ in moved)
    return RefreshCounts(joined, len(moved) - joined), {member_id for _, member_id in moved}


def _movers(tenant: Tenant, rules: dict[int, Q]) -> list[int]:
    """Members who are in an audience and should not be, or the other way round."""
    found: set[int] = set()
    for audience_id, rule in rules.items():
        current = AudienceMember.objects.filter(audience=audience_id, left_at=None, member_id=OuterRef("pk"))
        wrong = (
            Member.objects.filter(tenant=tenant)
            .annotate(should=ExpressionWrapper(rule, output_field=BooleanField()), does=Exists(current))
            .filter(~Q(should=F("does")))
        )
        found.update(wrong.values_list("pk", flat=True))
    return sorted(found)
