import pytest
from auditlog.models import LogEntry
from django.core import mail
from django.utils import timezone

from integrations.models import AlertSettings, Incident
from portal.tenancy.models import Tenant
from tests.factories import make_tenant, make_user
from tests.pages.builders import make_extension

pytestmark = pytest.mark.django_db
ADDRESS = "/t/acme/settings/alerts/"
GIVEN = {"addresses": "ops@acme.test", "failed_share": "10", "quiet_hours": "12", "webhook_url": ""}


@pytest.fixture
def tenant(client, settings):
    settings.WEBHOOKS_TO_THIS_MACHINE = True
    tenant = make_tenant("acme")
    client.force_login(make_user(tenant, role="owner", email="owner@acme.test"))
    return tenant


def test_without_settings_the_owners_are_told(client, tenant):
    assert "Now told: owner@acme.test." in client.get(ADDRESS).content.decode()


def test_settings_are_stored_and_addresses_read_in_any_form(client, tenant):
    client.post(ADDRESS, {**GIVEN, "addresses": "Ops@acme.test, crm@acme.test\nops@acme.test"})
    kept = AlertSettings.objects.get(tenant=tenant)
    assert kept.emails == ["ops@acme.test", "crm@acme.test"]
    assert (kept.failed_share, kept.quiet_hours, kept.tells_recovery) == (10, 12, False)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("addresses", "nobody", "“nobody” is not an e-mail address."),
        ("webhook_url", "https://10.0.0.8/x", "private network"),
        ("webhook_url", "not an address", "Enter a valid URL"),
        ("failed_share", "0", "greater than or equal to 1"),
        ("quiet_hours", "721", "less than or equal to 720"),
    ],
)
def test_what_cannot_work_is_refused_beside_its_field(client, tenant, field, value, words):
    answer = client.post(ADDRESS, {**GIVEN, field: value})
    assert words in answer.content.decode()
    assert not AlertSettings.objects.exists()


def test_the_secret_of_a_webhook_is_shown_once_and_kept_encrypted(client, tenant):
    given = {**GIVEN, "webhook_url": "http://127.0.0.1:9/hook"}
    answer = client.post(ADDRESS, given)
    kept = AlertSettings.objects.get().webhook_secret
    assert kept.reveal() in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    assert kept.reveal() not in client.get(ADDRESS).content.decode()
    client.post(ADDRESS, given)
    assert AlertSettings.objects.get().webhook_secret == kept
    client.post(ADDRESS, {**given, "new_secret": "1"})
    assert AlertSettings.objects.get().webhook_secret != kept


def test_a_test_goes_to_everybody_and_says_what_failed(client, tenant):
    AlertSettings.objects.create(
        tenant=tenant, emails=["ops@acme.test"], webhook_url="http://127.0.0.1:9/hook", webhook_secret="s"
    )
    answer = client.post(f"{ADDRESS}test/", follow=True)
    assert mail.outbox[0].to == ["ops@acme.test"]
    assert "The webhook could not be called" in answer.content.decode()


def test_what_was_told_of_others_is_not_shown(client, tenant):
    for mine, words in ((tenant, "Ours failed."), (make_tenant(), "Theirs failed.")):
        Incident.objects.create(
            extension=make_extension(mine), kind="run_failed", words=words, opened_at=timezone.now()
        )
    found = client.get(ADDRESS).content.decode()
    assert "Ours failed." in found and "Theirs failed." not in found


def test_the_history_of_settings_keeps_no_path_of_a_webhook(client, tenant):
    """Some receivers know their caller by the address alone, and viewers read the history."""
    client.post(ADDRESS, {**GIVEN, "webhook_url": "http://127.0.0.1:9/services/T000/key-in-the-path"})
    told = client.get("/t/acme/settings/history/").content.decode()
    assert "http://127.0.0.1:9/…" in told
    assert not LogEntry.objects.filter(changes__icontains="key-in-the-path").exists()


def test_tests_go_out_once_a_minute(client, tenant):
    for _ in range(3):
        answer = client.post(f"{ADDRESS}test/", follow=True)
    assert len(mail.outbox) == 1
    assert "A test went out less than a minute ago." in answer.content.decode()


def test_a_name_with_a_line_break_does_not_break_the_test(client, tenant):
    Tenant.objects.update(name="Acme\nBcc: spy@evil.test")
    client.post(f"{ADDRESS}test/")
    assert mail.outbox[0].subject == "Test: alerts of Acme Bcc: spy@evil.test"


def test_the_history_tells_addresses_and_shares_in_words(client, tenant):
    client.post(ADDRESS, GIVEN)
    client.post(ADDRESS, {**GIVEN, "addresses": "crm@acme.test, ops@acme.test", "failed_share": "7"})
    told = client.get("/t/acme/settings/history/").content.decode()
    assert "E-mail addresses" in told and "crm@acme.test, ops@acme.test" in told
    assert "Per cent of a run that may fail" in told and "[&#x27;" not in told
