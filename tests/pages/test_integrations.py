from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from integrations.errors import AuthenticationError, Temporary
from integrations.gateway.values import ConnectionReport
from integrations.models import (
    AudienceMapping,
    Delivery,
    EventMapping,
    Extension,
    FieldMapping,
    SentProfile,
)
from integrations.services import connections
from loyalty.fields import STANDARD_PROPERTIES
from tests.factories import make_audience, make_member, make_tenant, make_user
from tests.pages.builders import SECRET, make_extension, make_run
from tests.services.builders import happen

pytestmark = pytest.mark.django_db
NEW = "pk_ACME01_another"
OFF = {"is_active": False, "active_since": None}
DRAFT = {**OFF, "secret": None, "health": "unchecked", "account_name": ""}
READY = {**OFF, "account_id": "ACME01"}


@pytest.fixture
def tenant(client):
    tenant = make_tenant("acme", name="Acme Coffee")
    client.force_login(make_user(tenant, role="manager"))
    return tenant


@pytest.fixture
def answers(monkeypatch):
    """What the destination says when it is asked who we are; the keys that it was asked with."""
    asked: list[str] = []

    def answer(result: ConnectionReport | Exception) -> list[str]:
        class Channel:
            def check(self) -> ConnectionReport:
                if isinstance(result, Exception):
                    raise result
                return result

        def open_channel(extension: Extension) -> Channel:
            asked.append(extension.secret.reveal() if extension.secret else "")
            return Channel()

        monkeypatch.setattr(connections, "open_channel", open_channel)
        return asked

    return answer


def report(*missing: str, account: str = "ACME01", **more: Any) -> ConnectionReport:
    return ConnectionReport(account_id=account, account_name="Acme Roasters", missing_scopes=missing, **more)


def page(client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def at(extension: Extension, what: str = "") -> str:
    return f"/t/acme/integrations/{extension.pk}/{what + '/' if what else ''}"


def stored(extension: Extension) -> Extension:
    return Extension.objects.get(pk=extension.pk)


def key_of(extension: Extension) -> str:
    secret = stored(extension).secret
    return secret.reveal() if secret else ""


def by_key(key: str, **more: str) -> dict[str, str]:
    return {"way": "private_key", "key": key, **more}


# The list -------------------------------------------------------------------------------------------


def test_without_a_connection_a_manager_is_offered_one(client, tenant):
    found = page(client, "/t/acme/integrations/")
    assert 'class="empty"' in found and "Create integration" in found and "Connect Klaviyo" in found


def test_without_a_connection_a_viewer_learns_who_can_make_one(client, tenant):
    client.force_login(make_user(tenant, role="viewer"))
    found = page(client, "/t/acme/integrations/")
    assert "An owner or manager of Acme Coffee can create one." in found and "integrations/new" not in found


def test_a_card_says_what_travels_and_what_waits(client, tenant):
    extension = make_extension(tenant, account_id="ACME01", is_practice=True)
    FieldMapping.objects.create(extension=extension, field="points_balance", property="Points Balance")
    EventMapping.objects.create(extension=extension, kind="points_earned", metric="Earned", is_enabled=False)
    AudienceMapping.objects.create(extension=extension, audience=make_audience(tenant), list_name="VIP")
    member = make_member(tenant)
    SentProfile.objects.create(extension=extension, member=member, due_at=timezone.now())
    event = happen(member, routed_at=timezone.now())
    Delivery.objects.create(extension=extension, event=event, member_id=member.pk)
    make_run(extension, sent=3)
    found = page(client, "/t/acme/integrations/")
    assert "1 property," in found and "1 list<" in found and "1 member and 1 event to be sent" in found
    assert 'class="practice-mark"' in found and "just now" in found


def test_the_list_asks_as_much_for_many_as_for_few(client, tenant, count_queries):
    def make() -> None:
        number = Extension.objects.count()
        make_extension(tenant, name=f"Klaviyo {number}", **OFF)

    assert count_queries(make, "/t/acme/integrations/")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (DRAFT, "Not connected yet"),
        (READY, "Connected, not sending yet"),
        ({"is_active": False}, "Switched off"),
        ({"is_active": False, "secret": None, "account_id": "ACME01"}, "Disconnected"),
        ({"removed_at": timezone.now(), "is_active": False, "secret": None}, "Removed in Klaviyo"),
        ({"health": "attention", "health_reason": "The key is not accepted."}, "The key is not accepted."),
        ({"health": "unchecked"}, "Not checked yet"),
        ({}, "Working"),
    ],
)
def test_each_state_has_its_words(client, tenant, fields, words):
    extension = make_extension(tenant, **fields)
    assert words in page(client, "/t/acme/integrations/") and words in page(client, at(extension))


# Creating and connecting -----------------------------------------------------------------------------


def test_a_new_integration_gets_the_usual_properties_and_is_connected_next(client, tenant):
    assert 'value="Klaviyo"' in page(client, "/t/acme/integrations/new/")
    answer = client.post("/t/acme/integrations/new/", {"destination": "klaviyo", "name": "Klaviyo"})
    made = Extension.objects.get()
    assert answer.url == at(made, "connect")
    assert made.field_mappings.count() == len(STANDARD_PROPERTIES) and not made.is_active
    assert "Connect Klaviyo" in page(client, answer.url)


def test_a_second_one_gets_a_name_of_its_own_and_a_word_of_warning(client, tenant):
    make_extension(tenant)
    found = page(client, "/t/acme/integrations/new/")
    assert 'value="Klaviyo 2"' in found and "Klaviyo is switched on already." in found


def test_a_taken_name_is_refused_beside_the_field(client, tenant):
    make_extension(tenant)
    answer = client.post("/t/acme/integrations/new/", {"destination": "klaviyo", "name": "Klaviyo"})
    assert "There is a connection called “Klaviyo” already." in answer.content.decode()
    assert Extension.objects.count() == 1


def test_an_unknown_type_is_refused(client, tenant):
    answer = client.post("/t/acme/integrations/new/", {"destination": "other", "name": "Other"})
    assert answer.status_code == 200 and not Extension.objects.exists()


def test_a_draft_can_be_deleted_and_what_was_connected_cannot(client, tenant):
    draft, ready = make_extension(tenant, name="Draft", **DRAFT), make_extension(tenant, **READY)
    assert "It was never connected" in page(client, at(draft, "delete"))
    assert "cannot be deleted" in page(client, at(ready, "delete"))
    client.post(at(draft, "delete"))
    client.post(at(ready, "delete"))
    assert list(Extension.objects.all()) == [ready]


def test_the_role_and_each_permission_are_said_before_the_click(client, tenant, settings):
    settings.KLAVIYO_CLIENT_ID = "client"
    found = page(client, at(make_extension(tenant, **DRAFT), "connect"))
    assert "Owner, Admin or Manager" in found and "profiles:write" in found
    assert 'value="oauth" checked' in found and "/integrations/klaviyo/callback" in found


def test_without_a_client_id_the_page_says_what_the_operator_sets(client, tenant, settings):
    settings.KLAVIYO_CLIENT_ID = ""
    extension = make_extension(tenant, **DRAFT)
    found = page(client, at(extension, "connect"))
    assert "docs/settings.md" in found and 'value="private_key" checked' in found
    refused = client.post(at(extension, "connect"), {"way": "oauth"}).content.decode()
    assert "Signing in is not set up in this portal." in refused


def test_a_key_is_proven_kept_and_never_shown(client, tenant, answers):
    asked = answers(report())
    extension = make_extension(tenant, **DRAFT)
    found = client.post(at(extension, "connect"), by_key(f" {NEW} "), follow=True).content.decode()
    assert asked == [NEW] and key_of(extension) == NEW
    assert "Connected: Acme Roasters accepts us." in found and "Start sending" in found
    assert NEW not in found and not stored(extension).is_active


@pytest.mark.parametrize(
    ("key", "words"),
    [("AbC123", "public API key"), ("", "Paste the key"), ("pk_secret with-space", "copy it again")],
)
def test_what_cannot_be_a_key_is_refused_beside_the_field(client, tenant, key, words):
    extension = make_extension(tenant)
    answer = client.post(at(extension, "connect"), by_key(key))
    found = answer.content.decode()
    assert answer.status_code == 200 and words in found and 'class="error"' in found
    assert key_of(extension) == SECRET and "pk_secret" not in found and SECRET not in found


@pytest.mark.parametrize("what", ["connect", "key"])
@pytest.mark.parametrize("error", [AuthenticationError("Not accepted."), Temporary("Not reachable.")])
def test_a_key_that_is_not_proven_leaves_the_present_one(client, tenant, answers, what, error):
    answers(error)
    extension = make_extension(tenant, account_id="ACME01")
    found = client.post(at(extension, what), by_key(NEW)).content.decode()
    assert f"{error.words} The key was not stored." in found and NEW not in found
    assert key_of(extension) == SECRET and stored(extension).health == "ok"


def test_a_key_of_another_account_stops_with_both_names(client, tenant, answers):
    answers(report(account="OTHER1"))
    extension = make_extension(tenant, account_id="ACME01")
    found = client.post(at(extension, "connect"), by_key(NEW)).content.decode()
    assert "Acme Roasters (OTHER1)" in found and "Acme (ACME01)" in found
    assert key_of(extension) == SECRET


def test_a_missing_permission_is_named_with_what_it_is_for(client, tenant, answers):
    answers(report("events:write"))
    extension = make_extension(tenant, account_id="ACME01")
    found = client.post(at(extension, "key"), {"key": NEW}, follow=True).content.decode()
    assert "lacks the permission events:write" in found and "<code>events:write</code>" in found


def test_another_address_forgets_the_key_and_says_so(client, tenant, answers, settings):
    settings.KLAVIYO_API_URL = "http://127.0.0.1:8400"
    answers(AuthenticationError("Not accepted."))
    extension = make_extension(tenant, account_id="ACME01")
    given = by_key(NEW, base_url="http://127.0.0.1:9/", revision="2026-04-15")
    found = client.post(at(extension, "connect"), given).content.decode()
    assert "was forgotten" in found
    moved = stored(extension)
    assert (moved.base_url, moved.revision, moved.secret) == ("http://127.0.0.1:9", "2026-04-15", None)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"base_url": "https://evil.example"}, "is not a host of Klaviyo"),
        ({"base_url": "http://127.0.0.1:9"}, "is set by the staff of this portal"),
        ({"revision": "newest"}, "A revision is a date"),
    ],
)
def test_an_address_or_revision_that_cannot_be_is_refused(client, tenant, given, words):
    extension = make_extension(tenant)
    found = client.post(at(extension, "connect"), by_key(NEW, **given)).content.decode()
    assert words in found and stored(extension).base_url == "" and key_of(extension) == SECRET


def test_changing_from_the_key_to_signing_in_warns_of_the_metrics(client, tenant, settings):
    settings.KLAVIYO_CLIENT_ID = "client"
    extension = make_extension(tenant, account_id="ACME01")
    found = page(client, at(extension, "connect"))
    assert "metrics of their own" in found and "Points Earned" in found


# Starting, checking, switching, disconnecting ----------------------------------------------------------


def test_starting_states_the_numbers_and_then_sends(client, tenant):
    extension = make_extension(tenant, **READY)
    make_member(tenant)
    found = page(client, at(extension, "active"))
    assert "1 member</strong> is looked at" in found and "Start sending" in found
    client.post(at(extension, "active"), {"active": "1"})
    assert stored(extension).is_active and stored(extension).full_due_at


def test_only_one_of_a_type_can_send(client, tenant):
    make_extension(tenant, name="First")
    second = make_extension(tenant, name="Second", **READY)
    found = page(client, at(second, "active"))
    assert "First is switched on" in found and "<form class" not in found
    answer = client.post(at(second, "active"), {"active": "1"}, follow=True).content.decode()
    assert "Switch that one off first." in answer and not stored(second).is_active


def test_a_check_says_who_accepts_us(client, tenant, answers):
    answers(report())
    found = client.post(at(make_extension(tenant), "check"), follow=True).content.decode()
    assert "Checked just now: Acme Roasters accepts us." in found


def test_a_check_that_fails_says_why(client, tenant, answers):
    answers(AuthenticationError("Klaviyo does not accept this key."))
    found = client.post(at(make_extension(tenant), "check"), follow=True).content.decode()
    assert "Klaviyo does not accept this key." in found and "needs you" in found


def test_disconnecting_states_numbers_and_keeps_mappings(client, tenant):
    extension = make_extension(tenant, account_id="ACME01")
    FieldMapping.objects.create(extension=extension, field="points_balance", property="Points Balance")
    found = page(client, at(extension, "disconnect"))
    assert "1 mapped property" in found and "The stored key is forgotten" in found
    answer = client.post(at(extension, "disconnect"), follow=True).content.decode()
    gone = stored(extension)
    assert gone.secret is None and not gone.is_active and gone.account_id == "ACME01"
    assert gone.field_mappings.count() == 1 and "Disconnected" in answer


# Settings ------------------------------------------------------------------------------------------------


def values(**changed: str) -> dict[str, str]:
    usual = {"name": "Klaviyo", "merge_policy": "", "events_enabled": "on", "throttle_share": "80"}
    return {**usual, "property_prefix": "", **changed}


def test_a_policy_that_concerns_everybody_looks_at_everybody_again(client, tenant):
    extension = make_extension(tenant, account_id="ACME01")
    found = client.post(at(extension, "settings"), values(merge_policy="max"), follow=True).content.decode()
    assert "Everybody is looked at again" in found
    assert stored(extension).merge_policy == "max" and stored(extension).full_due_at


def test_other_settings_start_nothing(client, tenant):
    extension = make_extension(tenant, account_id="ACME01")
    client.post(
        at(extension, "settings"), values(name="Shop", throttle_share="50", property_prefix="Loyalty: ")
    )
    changed = stored(extension)
    assert (changed.name, changed.throttle_share, changed.property_prefix) == ("Shop", 50, "Loyalty: ")
    assert changed.full_due_at is None and key_of(extension) == SECRET


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"throttle_share": "0"}, "greater than or equal to 1"),
        ({"name": "Other"}, "There is a connection called “Other” already."),
        ({"property_prefix": "$"}, "begins with $"),
    ],
)
def test_settings_that_cannot_be_are_refused(client, tenant, given, words):
    make_extension(tenant, name="Other", **DRAFT)
    extension = make_extension(tenant)
    assert words in client.post(at(extension, "settings"), values(**given)).content.decode()
    assert stored(extension).name == "Klaviyo"


# Who may what ----------------------------------------------------------------------------------------------

CHANGES = ("connect", "key", "check", "active", "disconnect", "settings", "delete")


@pytest.mark.parametrize("what", CHANGES)
def test_a_viewer_looks_and_changes_nothing(client, tenant, what):
    extension = make_extension(tenant)
    client.force_login(make_user(tenant, role="viewer"))
    assert client.post(at(extension, what), by_key(NEW, active="0")).status_code == 403
    found = page(client, at(extension))
    assert f"{extension.pk}/{what}/" not in found
    assert stored(extension).is_active and key_of(extension) == SECRET


@pytest.mark.parametrize("what", ("", *CHANGES))
def test_the_connection_of_another_programme_is_not_found(client, tenant, what):
    other = make_extension(make_tenant("other"))
    assert client.get(at(other, what)).status_code in (404, 405)
    if what:
        assert client.post(at(other, what), by_key(NEW, active="0")).status_code == 404
    assert stored(other).is_active and key_of(other) == SECRET


@pytest.mark.parametrize("what", ("", "connect", "active", "disconnect", "settings", "delete"))
def test_no_page_holds_a_secret_or_breaks_the_policy(client, tenant, what):
    extension = make_extension(tenant, auth_method="oauth", refresh_token="refresh-never-to-be-seen")
    answer = client.get(at(extension, what))
    found = answer.content.decode()
    assert SECRET not in found and "never-to-be-seen" not in found
    assert " style=" not in found and "<script>" not in found and " onclick=" not in found


def test_a_connection_whose_destination_is_not_installed_can_still_be_looked_at(client, tenant):
    extension = make_extension(tenant, destination="gone")
    for what in ("", "connect", "disconnect"):
        assert "gone" in page(client, at(extension, what)) or "Klaviyo" in page(client, at(extension, what))


def lose_the_keys() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE integrations_extension SET secret = 'x', refresh_token = 'x'")


def test_secrets_that_cannot_be_read_any_more_break_no_page(client, tenant):
    """Where the encryption key is lost, people still find the page on which they connect again."""
    extension = make_extension(tenant)
    lose_the_keys()
    for path in ("", "integrations/", f"integrations/{extension.pk}/", "settings/"):
        assert client.get(f"/t/{tenant.slug}/{path}").status_code == 200, path


def test_where_the_keys_are_lost_a_new_key_connects_again(client, tenant, answers):
    extension = make_extension(tenant, account_id="ACME01")
    lose_the_keys()
    answers(report())
    client.post(f"/t/acme/integrations/{extension.pk}/key/", {"key": NEW})
    extension.refresh_from_db()
    assert (extension.secret.reveal(), extension.refresh_token) == (NEW, None)


def test_where_the_keys_are_lost_it_can_be_disconnected(client, tenant):
    extension = make_extension(tenant, account_id="ACME01")
    lose_the_keys()
    client.post(f"/t/acme/integrations/{extension.pk}/disconnect/")
    extension.refresh_from_db()
    assert (extension.secret, extension.refresh_token, extension.is_active) == (None, None, False)
