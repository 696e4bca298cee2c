import json

import pytest
from auditlog.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty.models import Audience
from loyalty.services import audience_counts, audience_saving
from tests.factories import make_audience, make_member, make_tenant, make_tier, make_user

pytestmark = pytest.mark.django_db

RICH = {"all": [{"field": "points_balance", "op": "at_least", "value": 50}]}
NEW, PREVIEW = "/t/acme/audiences/new/", "/t/acme/audiences/preview/"
FORM = {
    "name": "Rich people",
    "slug": "",
    "do": "save",
    "node-kind": "all",
    "node-0-field": "points_balance",
    "node-0-was": "points_balance",
    "node-0-op": "at_least",
    "node-0-value": "50",
}


@pytest.fixture
def tenant(client):
    tenant = make_tenant("acme")
    client.force_login(make_user(tenant, role="manager", email="ada@example.com"))
    return tenant


def rich(tenant, count=1, **fields):
    return [make_member(tenant, points_balance=60, **fields) for _ in range(count)]


def current(audience):
    return set(audience.memberships.filter(left_at=None).values_list("member_id", flat=True))


def changed(audience, **other):
    return {**FORM, "name": audience.name, "revision": audience_saving.revision_of(audience), **other}


# The first step ------------------------------------------------------------------------------------


def test_the_first_step_offers_common_rules_and_the_highest_tier(client, tenant):
    make_tier(tenant, "gold", 1000)
    make_tier(tenant, "silver", 10)
    page = client.get(NEW).content.decode()
    assert "Gold members" in page and "Birthday within a week" in page and "?static=1" in page


def test_a_programme_without_tiers_is_offered_none(client, tenant):
    assert "?start=tier" not in client.get(NEW).content.decode()


@pytest.mark.parametrize("start", ["points", "inactive", "birthday", "expiring", "tier"])
def test_every_common_rule_opens_ready_to_be_counted(client, tenant, start):
    make_tier(tenant)
    rich(tenant)
    page = client.get(NEW, {"start": start})
    assert page.context["outcome"].found is not None
    assert page.context["draft"].rule is not None


# Saving ---------------------------------------------------------------------------------------------


def test_a_new_audience_is_saved_with_its_rule_and_its_members(client, tenant):
    (member,) = rich(tenant)
    make_member(tenant)
    answer = client.post(NEW, FORM, follow=False)
    audience = Audience.objects.get()
    assert answer.url == f"/t/acme/audiences/{audience.pk}/"
    assert (audience.name, audience.slug, audience.rule) == ("Rich people", "rich-people", RICH)
    assert current(audience) == {member.pk}


def test_what_saving_did_is_told_in_numbers(client, tenant):
    rich(tenant, 2)
    client.post(NEW, FORM)
    page = client.get(f"/t/acme/audiences/{Audience.objects.get().pk}/people/")
    assert "2 members joined, 0 left." in page.content.decode()


def test_a_second_audience_of_one_name_has_a_short_name_of_its_own(client, tenant):
    for _ in range(2):
        client.post(NEW, FORM)
    assert set(Audience.objects.values_list("slug", flat=True)) == {"rich-people", "rich-people-2"}


def test_a_short_name_that_is_taken_is_refused_beside_its_field(client, tenant):
    make_audience(tenant, "vip")
    page = client.post(NEW, {**FORM, "slug": "vip"})
    assert "Another audience has the short name “vip”" in page.content.decode()
    assert Audience.objects.count() == 1


def test_a_static_audience_is_made_by_its_name_alone(client, tenant):
    answer = client.post(f"{NEW}?static=1", {"name": "Friends", "slug": ""})
    audience = Audience.objects.get()
    assert audience.is_static and audience.rule is None
    assert answer.url == f"/t/acme/audiences/{audience.pk}/people/"


def test_a_changed_rule_moves_members_and_keeps_the_short_name(client, tenant):
    (member,) = rich(tenant)
    poor = make_member(tenant, points_balance=5)
    audience = make_audience(tenant, "some", rule=RICH)
    client.post(
        f"/t/acme/audiences/{audience.pk}/edit/", changed(audience, **{"node-0-value": "1", "slug": "no"})
    )
    audience.refresh_from_db()
    assert audience.slug == "some" and current(audience) == {member.pk, poor.pk}


def test_the_audit_trail_has_the_rule_before_and_after(client, tenant):
    audience = make_audience(tenant, rule=RICH)
    client.post(f"/t/acme/audiences/{audience.pk}/edit/", changed(audience, **{"node-0-value": "70"}))
    entry = LogEntry.objects.get_for_object(audience).filter(action=LogEntry.Action.UPDATE).get()
    before, after = entry.changes["rule"]
    assert "50" in before and "70" in after and str(entry.actor) == "ada@example.com"


def test_many_members_move_later_by_the_queue(client, tenant, monkeypatch):
    monkeypatch.setattr(audience_saving, "AT_ONCE", 1)
    queued = []
    monkeypatch.setattr(audience_saving, "enqueue", lambda *told, lane: queued.append(told))
    rich(tenant, 2)
    client.post(NEW, FORM)
    assert queued == [("loyalty.tasks.refresh_audiences", tenant.pk)]
    assert current(Audience.objects.get()) == set()


def test_a_change_of_the_name_alone_asks_no_member(client, tenant):
    rich(tenant)
    audience = make_audience(tenant, rule=RICH)
    client.post(f"/t/acme/audiences/{audience.pk}/edit/", changed(audience, name="Other"))
    audience.refresh_from_db()
    assert audience.name == "Other" and current(audience) == set()


def test_who_saves_second_is_told_and_loses_nothing(client, tenant):
    audience = make_audience(tenant, "vip", rule=RICH)
    stale = changed(audience, **{"node-0-value": "77"})
    ben = client.__class__()
    ben.force_login(make_user(tenant, role="manager", email="ben@example.com"))
    address = f"/t/acme/audiences/{audience.pk}/edit/"
    ben.post(address, changed(audience, **{"node-0-value": "66"}))
    page = client.post(address, stale)
    text = page.content.decode()
    assert "ben@example.com changed this audience" in text and "at least 66" in text and 'value="77"' in text
    audience.refresh_from_db()
    assert audience.rule["all"][0]["value"] == 66
    client.post(address, {**stale, "revision": page.context["revision"]})
    audience.refresh_from_db()
    assert audience.rule["all"][0]["value"] == 77


def test_an_audience_by_hand_is_renamed_and_keeps_its_people(client, tenant):
    audience = make_audience(tenant)
    (member,) = rich(tenant)
    client.post(
        f"/t/acme/audiences/{audience.pk}/people/change/", {"do": "add", "people": member.external_id}
    )
    client.post(f"/t/acme/audiences/{audience.pk}/edit/", changed(audience, name="Friends"))
    audience.refresh_from_db()
    assert audience.name == "Friends" and audience.rule is None and current(audience) == {member.pk}


# Bad input -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"node-0-value": "many"}, "Value must be a number."),
        ({"node-0-value": ""}, "Say with what to compare."),
        ({"node-0-field": "", "node-0-op": ""}, "Choose a field."),
        ({"node-0-field": "nonsense", "node-0-was": "nonsense"}, "is not a field of a member"),
        ({"node-0-field": "audiences", "node-0-was": "audiences"}, "An audience cannot depend on audiences."),
        ({"node-1-kind": "any"}, "This group is empty."),
    ],
)
def test_what_is_wrong_stands_beside_its_node_and_nothing_is_saved(client, tenant, other, words):
    page = client.post(NEW, {**FORM, **other}).content.decode()
    assert words in page and "so nothing is saved" in page
    assert not Audience.objects.exists()


def test_a_missing_name_keeps_the_rule_as_it_was_typed(client, tenant):
    page = client.post(NEW, {**FORM, "name": " ", "node-0-value": "123"}).content.decode()
    assert "Give the audience a name." in page and 'value="123"' in page


def test_what_is_only_missing_yet_is_no_error_while_building(client, tenant):
    page = client.post(PREVIEW, {**FORM, "node-0-value": ""}).content.decode()
    assert "Say with what" not in page and "Finish the rule" in page


@pytest.mark.parametrize("audience", ["0", "x", "9" * 30])
def test_a_preview_for_no_audience_of_this_tenant_is_no_error_page(client, tenant, audience):
    assert client.post(PREVIEW, {**FORM, "audience": audience}).status_code in (200, 404)


# The form without scripts -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pressed", "fields"),
    [("condition:node", {"node-0-field", "node-1-field"}), ("group:node", {"node-0-field", "node-1-0-field"}),
     ("remove:node-0", set())],
)  # fmt: skip
def test_a_button_changes_the_form_and_saves_nothing(client, tenant, pressed, fields):
    page = client.post(NEW, {**FORM, "do": pressed})
    text = page.content.decode()
    assert {
        name for name in ("node-0-field", "node-1-field", "node-1-0-field") if f'name="{name}"' in text
    } == fields
    assert 'value="Rich people"' in text
    assert not Audience.objects.exists()


def test_another_field_brings_its_own_operators(client, tenant):
    page = client.post(PREVIEW, {**FORM, "node-0-field": "birthday"}).content.decode()
    assert "is within the next" in page and "is at least" not in page


def test_a_tier_is_chosen_from_the_tiers_of_the_programme(client, tenant):
    make_tier(tenant, "gold", name="Gold <b>")
    form = {
        **FORM,
        "node-0-field": "tier_slug",
        "node-0-was": "tier_slug",
        "node-0-op": "in",
        "node-0-pick": "gold",
    }
    page = client.post(PREVIEW, form).content.decode()
    assert "Gold &lt;b&gt;" in page and "<b>" not in page
    assert "Members whose tier is Gold &lt;b&gt;." in page


def test_an_attribute_keeps_its_type(client, tenant):
    make_member(tenant, attributes={"zip_text": "123", "visits": 3, "is_vip": True})
    form = {
        **FORM,
        "node-0-field": "attributes.zip_text", "node-0-was": "attributes.zip_text",
        "node-0-op": "equals", "node-0-value": "123",
        "node-1-field": "attributes.visits", "node-1-was": "attributes.visits",
        "node-1-op": "equals", "node-1-value": "3",
        "node-2-field": "attributes.is_vip", "node-2-was": "attributes.is_vip",
        "node-2-op": "equals", "node-2-value": "true",
    }  # fmt: skip
    client.post(NEW, form)
    audience = Audience.objects.get()
    assert json.dumps([one["value"] for one in audience.rule["all"]]) == '["123", 3, true]'
    assert len(current(audience)) == 1


# Whom it finds ------------------------------------------------------------------------------------------


def test_the_count_says_how_many_of_how_many_and_what_saving_changes(client, tenant):
    members = rich(tenant, 3)
    make_member(tenant)
    audience = make_audience(tenant, rule=RICH)
    leaver = make_member(tenant)
    for member in (members[0], leaver):
        audience.memberships.create(member=member, joined_at=member.created_at)
    page = client.post(PREVIEW, {**FORM, "audience": audience.pk})
    found = page.context["outcome"].found
    assert (found.matching, found.total, found.joining, found.leaving) == (3, 5, 2, 1)
    text = page.content.decode()
    assert "2 join" in text and "1 leave" in text and "60 %" in text


def test_ten_people_are_shown_with_what_the_rule_reads(client, tenant):
    rich(tenant, 12, first_name="Ada")
    page = client.post(PREVIEW, FORM)
    people = page.context["outcome"].samples
    assert len(people) == 10 and people[0].values == (("Points balance", "60"),)


def test_counting_that_takes_long_is_said_and_the_page_goes_on(client, tenant, monkeypatch):
    def slow(*args, **kwargs):
        with audience_counts._at_most(0.05), connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(5)")

    monkeypatch.setattr(audience_counts, "count", slow)
    rich(tenant)
    page = client.post(PREVIEW, FORM).content.decode()
    assert "Counting takes long" in page and "whose points balance is at least 50" in page
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)


def test_a_count_leaves_the_time_limit_as_it_was(client, tenant):
    client.post(PREVIEW, FORM)
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)


def test_a_longer_rule_and_more_people_ask_no_more_queries(client, tenant):
    def asked(form):
        with CaptureQueriesContext(connection) as found:
            assert client.post(PREVIEW, form).status_code == 200
        return len(found)

    rich(tenant)
    client.post(PREVIEW, FORM)
    few = asked(FORM)
    rich(tenant, 20)
    longer = {
        name.replace("node-0", f"node-{place}"): value for place in range(20) for name, value in FORM.items()
    }
    assert asked(longer) == few


# Who sees what --------------------------------------------------------------------------------------------


def test_attributes_tiers_and_people_of_another_tenant_are_never_shown(client, tenant):
    other = make_tenant("other")
    make_tier(other, "secret-tier")
    rich(other, first_name="Stranger", attributes={"secret_attribute": 1})
    for page in (client.post(PREVIEW, FORM), client.get(NEW), client.get(NEW, {"start": "points"})):
        text = page.content.decode()
        assert "Stranger" not in text and "secret_attribute" not in text and "Secret-Tier" not in text


@pytest.mark.parametrize("page", ["edit", "people", "why", "people/change"])
def test_an_audience_of_another_tenant_is_not_found(client, tenant, page):
    audience = make_audience(make_tenant("other"))
    address = f"/t/acme/audiences/{audience.pk}/{page}/"
    assert client.get(address).status_code in (404, 405)
    assert client.post(address, {"people": "x"}).status_code in (404, 405)
    assert client.post(PREVIEW, {**FORM, "audience": audience.pk}).status_code == 404


def test_names_are_never_read_as_html(client, tenant):
    bad = "<script>alert(1)</script>"
    rich(tenant, first_name=bad, attributes={bad: bad})
    audience = make_audience(tenant, rule=RICH, name=bad)
    field = {"node-0-field": f"attributes.{bad}", "node-0-was": f"attributes.{bad}", "node-0-op": "equals",
             "node-0-value": bad}  # fmt: skip
    pages = [client.post(PREVIEW, {**FORM, **field}), client.post(PREVIEW, FORM)]
    pages += [
        client.get(f"/t/acme/audiences/{audience.pk}/{name}/", {"q": bad})
        for name in ("edit", "people", "why")
    ]
    for page in pages:
        assert page.status_code == 200 and "<script>alert" not in page.content.decode()


def test_a_rule_that_cannot_be_used_any_more_opens_and_says_so(client, tenant):
    audience = make_audience(tenant, rule={"all": [{"field": "gone", "op": "equals", "value": "x"}]})
    text = client.get(f"/t/acme/audiences/{audience.pk}/edit/").content.decode()
    assert "is not a field of a member" in text and 'value="x"' in text
