"""Audit: who changed which setting, in words, filtered and as a file; and runs by person and programme."""

from datetime import timedelta

import pytest
from auditlog.context import set_actor
from auditlog.models import LogEntry
from django.utils import timezone

from integrations.models import FieldMapping
from integrations.services import connections, dismissing
from tests.factories import make_member, make_tenant, make_tier, make_user
from tests.pages.builders import SECRET, make_extension, make_run, make_troubled_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    return make_user(email="ada@example.com", first_name="Ada")


@pytest.fixture
def extension(ada):
    """A connection of Acme whose name and mapping Ada changed."""
    extension = make_extension(make_tenant("acme", name="Acme Coffee"))
    with set_actor(ada):
        extension.name = "Klaviyo UK"
        extension.save(update_fields=["name"])
        mapping = FieldMapping.objects.create(extension=extension, field="points_balance", property="Points")
        mapping.property = "Points Balance"
        mapping.save()
    return extension


def page(client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return b"".join(answer).decode() if answer.streaming else answer.content.decode()


def test_it_says_who_changed_what_from_what_to_what_where(client, staff, extension):
    client.force_login(staff)
    entry = client.get("/admin/audit/").context["entries"][0]
    assert (entry.tenant, entry.change.who, entry.change.kind) == ("Acme Coffee", "Ada", "field mapping")
    (line,) = entry.change.lines
    assert (line.label, line.before, line.after) == ("Property", "Points", "Points Balance")


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("?tenant=Bolt", {"tier", "general settings"}),
        ("?tenant=acme&kind=integrations.fieldmapping", {"field mapping"}),
        ("?person=ada@", {"connection", "field mapping"}),
        ("?person=nobody@", set()),
        ("?kind=loyalty.tier", {"tier"}),
        ("?days=7&person=ada@", {"connection"}),
        ("?tenant=nowhere", set()),
    ],
)
def test_filters(client, staff, extension, query, kinds):
    make_tier(make_tenant("bolt", name="Bolt Bikes"))
    mappings = LogEntry.objects.filter(content_type__model="fieldmapping")
    mappings.update(timestamp=timezone.now() - timedelta(days=20))
    client.force_login(staff)
    assert {entry.change.kind for entry in client.get(f"/admin/audit/{query}").context["entries"]} == kinds


def test_nonsense_in_the_address_is_no_error(client, staff, extension):
    client.force_login(staff)
    assert page(client, "/admin/audit/?kind=no&days=x&before=y")


def test_it_asks_as_often_for_many_entries_as_for_five(client, staff, count_queries):
    client.force_login(staff)
    assert count_queries(lambda: make_tier(make_tenant()), "/admin/audit/")


def test_older_entries_are_a_page_further(client, staff):
    for _ in range(60):
        make_tenant()
    client.force_login(staff)
    answer = client.get("/admin/audit/")
    following = answer.context["next_key"]
    assert len(client.get(f"/admin/audit/?before={following}").context["entries"]) >= 10


def test_the_file_holds_what_the_filter_lets_through_and_no_formula(client, staff, extension):
    extension.name = "=HYPER()"
    extension.save(update_fields=["name"])
    client.force_login(staff)
    found = page(client, "/admin/audit.csv?tenant=acme")
    assert "Points Balance" in found and "ada" in found.lower() and "'=HYPER()" in found
    assert "Points Balance" not in page(client, "/admin/audit.csv?tenant=bolt")


def test_a_key_is_dots(client, staff, extension):
    connections.store_key(extension, "pk_OTHER1_never-to-be-seen")
    client.force_login(staff)
    for address in ("/admin/audit/", "/admin/audit.csv"):
        found = page(client, address)
        assert SECRET not in found and "never-to-be-seen" not in found


def test_what_is_put_aside_is_in_it_with_the_reason(client, staff, ada, extension):
    make_troubled_run(extension, make_member(extension.tenant))
    with set_actor(ada):
        made = dismissing.dismiss(extension, "invalid_email", by=ada, note="Test people")
        dismissing.bring_back(made)
    client.force_login(staff)
    back, aside = client.get("/admin/audit/?kind=integrations.dismissal").context["entries"]
    assert (aside.change.verb, back.change.verb, aside.tenant) == ("Added", "Removed", "Acme Coffee")
    assert ("Note", "Test people") in [(line.label, line.after) for line in aside.change.lines]


def test_a_sample_event_is_named_in_words(client, staff, extension):
    LogEntry.objects.log_create(
        extension,
        action=LogEntry.Action.UPDATE,
        changes={"sample_event": ["", "Points Earned to test@shop.example"]},
    )
    client.force_login(staff)
    assert "Sample event sent" in page(client, "/admin/audit/")


def test_support_and_merchants_stay_out(client, support):
    client.force_login(support)
    assert client.get("/admin/audit/").status_code == 403
    client.force_login(make_user(make_tenant()))
    assert client.get("/admin/audit/").status_code == 404


# Runs ----------------------------------------------------------------------------------------------


def test_runs_are_found_by_person_programme_and_day_and_are_a_file(client, support, ada, extension):
    mine = make_run(extension, started_by=ada, reason="=Ticket")
    other = make_run(make_extension(make_tenant("bolt")))
    client.force_login(support)

    def listed(query: str) -> set[int]:
        return {
            run.pk for run in client.get(f"/admin/integrations/syncrun/{query}").context["cl"].result_list
        }

    assert listed("") == {mine.pk, other.pk}
    assert listed("?by=people") == {mine.pk} and listed("?by=itself") == {other.pk}
    assert listed("?q=ada@example.com") == {mine.pk} and listed("?q=acme") == {mine.pk}
    assert listed(f"?created_at__year={timezone.now().year - 1}") == set()
    found = page(client, "/admin/integrations/syncrun/runs.csv?q=acme")
    assert "'=Ticket" in found and "Acme Coffee" in found and found.count("\n") == 2
    assert page(client, "/admin/integrations/syncrun/runs.csv?by=itself").count("\n") == 2
