"""The SQL of a rule and its explanation for one member must always say the same."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty import audience_query, fields
from loyalty.models import Member
from loyalty.rules.condition_values import OPERATORS
from loyalty.rules.explaining import explain
from loyalty.rules.windows import Calendar
from tests.factories import make_member, make_tenant, make_tier

CALENDAR = Calendar(date(2026, 3, 1), ZoneInfo("Europe/London"))
KEYS = {
    "first_name": "text",
    "tier_slug": "text",
    "points_balance": "number",
    "points_to_next_tier": "number",
    "birthday": "date",
    "enrolled_at": "datetime",
    "tags": "list",
    "attributes.x": "any",
    "attributes.1": "any",
}
WORDS = st.sampled_from(["a", "A", "ab", "gold", "é", "100%", "{0}", "2026-03-01", "x'y", "\\"])
NUMBERS = st.one_of(st.integers(-3, 12), st.sampled_from([0.5, 10.0, 2.25]))
SCALARS = st.one_of(WORDS, NUMBERS, st.booleans())
DAYS = st.dates(date(2026, 1, 20), date(2026, 4, 10)).map(date.isoformat)
MOMENTS = st.datetimes(datetime(2026, 2, 20), datetime(2026, 3, 10)).map(lambda at: at.replace(tzinfo=UTC))


def value_for(op, kind):
    if op in ("is_set", "is_not_set"):
        return st.none()
    if op.startswith("within"):
        return st.integers(0, 40)
    if op in ("before", "after"):
        return st.one_of(DAYS, MOMENTS.map(datetime.isoformat)) if kind == "datetime" else DAYS
    one = {"number": NUMBERS, "boolean": st.booleans(), "any": SCALARS, "date": DAYS}.get(kind, WORDS)
    if op in ("at_least", "at_most", "more_than", "less_than"):
        return NUMBERS
    return st.lists(one, min_size=1, max_size=3) if op in ("in", "not_in") else one


@st.composite
def conditions(draw):
    key = draw(st.sampled_from(sorted(KEYS)))
    op = draw(st.sampled_from([op for op, kinds in OPERATORS.items() if KEYS[key] in kinds]))
    value = draw(value_for(op, KEYS[key]))
    return {"field": key, "op": op} | ({} if value is None else {"value": value})


RULES = st.recursive(
    conditions(),
    lambda inner: st.builds(
        lambda kind, parts: {kind: parts},
        st.sampled_from(["all", "any", "none"]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=6,
)
ATTRIBUTE = st.one_of(
    SCALARS, st.just(""), st.lists(SCALARS, max_size=2), DAYS, st.just({"a": 1}), st.just([[1]])
)


@st.composite
def people(draw):
    has_birthday, day = draw(st.booleans()), draw(st.dates(date(2024, 1, 1), date(2024, 12, 31)))
    return {
        "first_name": draw(st.one_of(st.just(""), WORDS)),
        "points_balance": draw(st.integers(0, 12)),
        "points_lifetime": draw(st.integers(0, 12)),
        "has_tier": draw(st.booleans()),
        "birth_year": draw(st.sampled_from([None, 2026])) if has_birthday and day.day < 29 else None,
        "birth_month": day.month if has_birthday else None,
        "birth_day": day.day if has_birthday else None,
        "enrolled_at": draw(st.one_of(st.none(), MOMENTS)),
        "tags": draw(st.lists(WORDS, max_size=2)),
        "attributes": draw(st.dictionaries(st.sampled_from(["x", "1"]), ATTRIBUTE, max_size=2)),
    }


@pytest.mark.django_db
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(raw=RULES, person=people())
def test_sql_and_explanation_agree(raw, person):
    Member.objects.all().delete()
    tenant = make_tenant()
    tier = make_tier(tenant, "gold", 5)
    member = make_member(tenant, tier=tier if person.pop("has_tier") else None, **person)
    rule = audience_query.parse(raw)
    values = Member.objects.annotate(values_now=fields.document({key: key for key in KEYS})).get().values_now
    by_sql = audience_query.matching(tenant, rule, CALENDAR).filter(pk=member.pk).exists()
    assert by_sql == explain(rule, values, CALENDAR).holds


@pytest.mark.django_db
def test_the_tenants_day_decides():
    tenant = make_tenant()
    midnight = datetime(2026, 3, 1, tzinfo=ZoneInfo("America/New_York"))
    make_member(tenant, "before", enrolled_at=midnight - timedelta(seconds=1))
    make_member(tenant, "today", enrolled_at=midnight)
    rule = audience_query.parse({"field": "enrolled_at", "op": "within_last_days", "value": 0})
    calendar = Calendar.at(datetime(2026, 3, 2, 3, tzinfo=UTC), ZoneInfo("America/New_York"))
    assert [m.external_id for m in audience_query.matching(tenant, rule, calendar)] == ["today"]


@pytest.mark.django_db
def test_not_equals_includes_members_of_whom_nothing_is_known():
    tenant = make_tenant()
    make_member(tenant, "1", city="Rome")
    make_member(tenant, "2")
    rule = audience_query.parse({"field": "city", "op": "not_equals", "value": "Rome"})
    assert [m.external_id for m in audience_query.matching(tenant, rule, CALENDAR)] == ["2"]
