"""Trouble is told once, to the right people, and again when it is over."""

import itertools
import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.conf import settings
from django.core import mail
from django.db import connection
from django.utils import timezone

from integrations.models import AlertMessage, AlertSettings, Extension, Incident, SentProfile
from integrations.services import alerting, incidents
from portal.runtime import outgoing
from portal.tenancy.models import Tenant
from tests.factories import make_member, make_tenant, make_user
from tests.pages.builders import make_extension, make_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def extension():
    tenant = make_tenant("acme", name="Acme Coffee")
    make_user(tenant, role="owner", email="owner@acme.test")
    make_user(tenant, role="viewer", email="viewer@acme.test")
    since = timezone.now() - timedelta(days=30)
    return make_extension(tenant, account_id="AbC123", health_since=since, active_since=since)


def break_it(extension, words: str = "Klaviyo no longer accepts our key.") -> None:
    extension.health, extension.health_reason, extension.health_since = "attention", words, timezone.now()
    extension.save()


def mend_it(extension, *, since: timedelta = timedelta(minutes=2)) -> None:
    extension.health, extension.health_reason = "ok", ""
    extension.health_since = timezone.now() - since
    extension.save()


def test_a_lost_connection_is_told_once_to_the_owners(extension):
    break_it(extension)
    for _ in range(3):
        alerting.watch()
    assert [message.to for message in mail.outbox] == [["owner@acme.test"]]
    assert "The connection is lost: Acme Coffee" in mail.outbox[0].subject
    assert "Klaviyo no longer accepts our key." in mail.outbox[0].body
    assert f"/t/acme/integrations/{extension.pk}/" in mail.outbox[0].body


def test_recovery_is_told_once_and_only_when_it_lasts(extension):
    break_it(extension)
    alerting.watch()
    mend_it(extension, since=timedelta(seconds=5))
    alerting.watch()
    assert len(mail.outbox) == 1
    mend_it(extension)
    alerting.watch()
    alerting.watch()
    assert [message.subject for message in mail.outbox[1:]] == ["The connection works again: Acme Coffee"]
    assert not Incident.objects.open().exists()


def test_who_switches_a_connection_off_need_not_be_told(extension):
    extension.is_active = False
    extension.save()
    alerting.watch()
    assert mail.outbox == []


def test_a_removal_on_the_other_side_is_told_although_it_is_off(extension):
    extension.is_active, extension.removed_at = False, timezone.now()
    extension.save()
    alerting.watch()
    assert Incident.objects.get().kind == "connection_lost"


def test_a_failed_run_is_told_and_the_next_good_one_ends_it(extension):
    run = make_run(extension, status="failed", note="Klaviyo could not be reached.")
    alerting.watch()
    assert Incident.objects.get().run_id == run.pk
    assert f"/t/acme/runs/{run.pk}/" in mail.outbox[0].body
    make_run(extension, status="succeeded", sent=3)
    alerting.watch()
    assert "Runs succeed again" in mail.outbox[1].subject


@pytest.mark.parametrize(("rejected", "is_told"), [(5, False), (6, True)])
def test_more_than_the_share_that_was_asked_for(extension, rejected, is_told):
    make_run(extension, status="partly_failed", sent=100 - rejected, rejected=rejected)
    alerting.watch()
    assert Incident.objects.filter(kind="many_failed").exists() is is_told


def test_three_changes_in_an_hour_are_no_trouble_of_the_connection(extension):
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    make_run(extension, kind="live", hour=hour, status="running", sent=1, rejected=2)
    alerting.watch()
    assert not Incident.objects.exists()


def test_a_bad_hour_stays_bad_until_one_that_can_be_judged(extension):
    """A new hour that has hardly begun, or one person who is sent again, says nothing about the rows."""
    make_run(extension, sent=50)
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    make_run(extension, kind="live", hour=hour - timedelta(hours=1), sent=10, rejected=30)
    alerting.watch()
    make_run(extension, kind="live", hour=hour, status="running", sent=1)
    make_run(extension, kind="live", hour=None, sent=2)
    alerting.watch()
    assert [message.subject for message in mail.outbox] == ["Many rows did not arrive: Acme Coffee"]
    make_run(extension, kind="live", hour=hour + timedelta(hours=1), status="running", sent=40)
    alerting.watch()
    assert mail.outbox[-1].subject == "Rows arrive again: Acme Coffee"


def test_silence_is_told_when_something_waited_all_the_time(extension):
    long_ago = timezone.now() - timedelta(hours=30)
    make_run(extension, sent=5, progress_at=long_ago)
    alerting.watch()
    assert not Incident.objects.exists()
    SentProfile.objects.create(
        extension=extension, member=make_member(extension.tenant), due_at=timezone.now() - timedelta(hours=25)
    )
    alerting.watch()
    assert "Nothing has arrived for 1 d 6 h. 1 change waits." in Incident.objects.get().words


def test_silence_without_work_is_told_only_where_it_is_asked_for(extension):
    make_run(extension, sent=5, progress_at=timezone.now() - timedelta(hours=30))
    AlertSettings.objects.create(tenant=extension.tenant, even_if_idle=True)
    alerting.watch()
    assert "Nothing came in either." in Incident.objects.get().words


def test_zero_hours_never_tell_of_silence(extension):
    make_run(extension, sent=5, progress_at=timezone.now() - timedelta(hours=300))
    AlertSettings.objects.create(tenant=extension.tenant, even_if_idle=True, quiet_hours=0)
    alerting.watch()
    assert not Incident.objects.exists()


def test_addresses_of_the_settings_take_the_place_of_the_owners(extension):
    AlertSettings.objects.create(tenant=extension.tenant, emails=["ops@acme.test", "crm@acme.test"])
    break_it(extension)
    alerting.watch()
    assert sorted(message.to[0] for message in mail.outbox) == ["crm@acme.test", "ops@acme.test"]


def test_a_message_that_could_not_go_out_is_tried_again_and_at_last_given_up(extension, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError("The mail server is away.")

    monkeypatch.setattr(alerting, "send_mail", refuse)
    break_it(extension)
    now = timezone.now()
    incidents.watch(now)
    for attempt in range(1, 12):
        now += timedelta(days=1)
        alerting.deliver(now)
        message = AlertMessage.objects.get()
        assert message.words == "The mail server is away."
        assert (message.given_up_at is not None) is (attempt >= alerting.MOST_ATTEMPTS)
    assert message.attempts == alerting.MOST_ATTEMPTS


def test_a_message_under_lease_is_left_to_its_sender(extension):
    break_it(extension)
    incidents.watch()
    AlertMessage.objects.update(lease_until=timezone.now() + timedelta(minutes=1))
    assert alerting.deliver() == 0
    assert mail.outbox == []


def test_many_connections_cost_as_many_queries_as_one(extension, django_assert_max_num_queries):
    for _ in range(4):
        make_extension(make_tenant(), account_id=f"A{_}", health_since=timezone.now() - timedelta(days=1))
    with django_assert_max_num_queries(5):
        incidents.watch()


def test_who_switches_off_what_was_lost_is_told_nothing_of_recovery(extension):
    break_it(extension)
    alerting.watch()
    Extension.objects.update(is_active=False)
    alerting.watch()
    assert len(mail.outbox) == 1 and not Incident.objects.open().exists()


def test_who_asks_no_more_about_silence_is_not_told_that_it_arrives_again(extension):
    make_run(extension, sent=5, progress_at=timezone.now() - timedelta(hours=30))
    wanted = AlertSettings.objects.create(tenant=extension.tenant, even_if_idle=True)
    alerting.watch()
    wanted.quiet_hours = 0
    wanted.save()
    alerting.watch()
    assert len(mail.outbox) == 1 and not Incident.objects.open().exists()


# One tenant's trouble with a message is nobody else's -----------------------------------------------


def test_a_name_with_a_line_break_makes_no_header_of_its_own(extension):
    Tenant.objects.update(name="Acme\r\nBcc: spy@evil.test")
    break_it(extension)
    alerting.watch()
    assert mail.outbox[0].subject == "The connection is lost: Acme Bcc: spy@evil.test"


def test_a_message_that_trips_over_itself_holds_up_no_other(extension, monkeypatch):
    AlertSettings.objects.create(tenant=extension.tenant, emails=["a@acme.test", "b@acme.test"])
    send_mail = alerting.send_mail

    def trip(subject, body, sender, to):
        if to == ["a@acme.test"]:
            raise ValueError("What nobody thought of")
        send_mail(subject, body, sender, to)

    monkeypatch.setattr(alerting, "send_mail", trip)
    break_it(extension)
    alerting.watch()
    assert [message.to for message in mail.outbox] == [["b@acme.test"]]
    tripped = AlertMessage.objects.get(target="a@acme.test")
    assert tripped.not_before and "ValueError" in tripped.words


def test_a_message_whose_senders_all_died_is_given_up(extension):
    break_it(extension)
    incidents.watch()
    AlertMessage.objects.update(attempts=alerting.MOST_ATTEMPTS)
    alerting.deliver()
    message = AlertMessage.objects.get()
    assert mail.outbox == [] and message.given_up_at and "never came to an end" in message.words


def test_slow_receivers_are_left_for_the_next_minute_before_the_task_is_killed(extension, monkeypatch):
    AlertSettings.objects.create(tenant=extension.tenant, emails=[f"p{n}@acme.test" for n in range(5)])
    clock = itertools.count(step=alerting.SECONDS_AT_MOST * 0.6)
    monkeypatch.setattr(alerting.time, "monotonic", lambda: next(clock))
    break_it(extension)
    incidents.watch()
    assert alerting.deliver() < 5
    assert alerting.deliver() + alerting.deliver() + alerting.deliver() > 2


def test_a_mail_server_that_never_answers_holds_nothing_up():
    assert 0 < settings.EMAIL_TIMEOUT < alerting.SECONDS_AT_MOST


def test_secrets_that_cannot_be_read_any_more_keep_nobody_from_being_told(extension):
    AlertSettings.objects.create(tenant=extension.tenant, emails=["ops@acme.test"], webhook_secret="s3cret")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE integrations_extension SET secret = 'x', refresh_token = 'x'")
        cursor.execute("UPDATE integrations_alertsettings SET webhook_secret = 'x'")
    Extension.objects.update(health="attention", health_reason="Lost.", health_since=timezone.now())
    alerting.watch()
    Extension.objects.update(health="ok", health_since=timezone.now() - timedelta(hours=1))
    alerting.watch()
    assert len(mail.outbox) == 2


# Webhooks -----------------------------------------------------------------------------------------


class Receiver(HTTPServer):
    """A webhook of the tenant's on this machine; keeps what it got."""

    def __init__(self, status: int = 204) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status = status
        super().__init__(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook?x=1"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers), body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def receiver(settings):
    settings.WEBHOOKS_TO_THIS_MACHINE = True
    found = Receiver()
    yield found
    found.shutdown()
    found.server_close()


def test_a_webhook_gets_signed_json_without_personal_data(extension, receiver):
    AlertSettings.objects.create(
        tenant=extension.tenant, emails=["ops@acme.test"], webhook_url=receiver.url, webhook_secret="s3cret"
    )
    break_it(extension)
    alerting.watch()
    headers, body = receiver.got[0]
    at = int(headers["X-Portal-Signature"].split(",")[0].removeprefix("t="))
    assert headers["X-Portal-Signature"] == outgoing.signature("s3cret", body, at)
    told = json.loads(body)
    assert told["type"] == told["kind"] == "connection_lost"
    assert told["id"] == headers["X-Portal-Id"]
    assert "@" not in body.decode()


def test_a_webhook_that_answers_with_an_error_is_tried_again(extension, receiver):
    receiver.status = 500
    AlertSettings.objects.create(
        tenant=extension.tenant, emails=["ops@acme.test"], webhook_url=receiver.url, webhook_secret="s3cret"
    )
    break_it(extension)
    alerting.watch()
    message = AlertMessage.objects.get(channel="webhook")
    assert (message.sent_at, message.words) == (None, "The webhook answered 500.")
    receiver.status = 200
    alerting.deliver(timezone.now() + timedelta(minutes=2))
    message.refresh_from_db()
    assert message.sent_at and len(receiver.got) == 2


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hook",
        "https://127.0.0.1/hook",
        "https://[::1]/hook",
        "https://10.0.0.8/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://user:pass@example.com/",
        "ftp://example.com/",
        "https:///nothing",
        "https://localhost/hook",
        "no address at all",
    ],
)
def test_what_is_no_public_https_address_is_refused(url, settings):
    settings.WEBHOOKS_TO_THIS_MACHINE = False
    with pytest.raises(outgoing.AddressRefused):
        outgoing.check(url)


def test_private_networks_stay_closed_even_in_the_demo(settings):
    settings.WEBHOOKS_TO_THIS_MACHINE = True
    with pytest.raises(outgoing.AddressRefused, match="private network"):
        outgoing.check("https://10.0.0.8/hook")


@pytest.mark.parametrize(
    "address",
    [
        "224.0.0.1",  # multicast
        "::127.0.0.1",  # IPv4 in the old way
        "::ffff:10.0.0.8",
        "64:ff9b::10.0.0.8",  # through a NAT64 gateway
        "64:ff9b::127.0.0.1",
        "2002:7f00:1::1",  # 6to4
        "0.0.0.0",
        "100.64.0.1",
        "fe80::1",
    ],
)
def test_every_way_to_write_an_inner_address_is_refused(address, settings, monkeypatch):
    settings.WEBHOOKS_TO_THIS_MACHINE = False
    lead_to(monkeypatch, address)
    with pytest.raises(outgoing.AddressRefused, match="private network"):
        outgoing.check("https://hook.example/")


def lead_to(monkeypatch, *addresses: str) -> None:
    found = [(0, 0, 0, "", (address, 443)) for address in addresses]
    monkeypatch.setattr(outgoing.socket, "getaddrinfo", lambda *args, **kwargs: found)


def test_a_public_host_behind_nat64_may_be_called(monkeypatch):
    lead_to(monkeypatch, "64:ff9b::8.8.8.8")
    assert outgoing.check("https://hook.example/").ip == "64:ff9b::808:808"


def test_the_order_of_the_system_is_kept(monkeypatch):
    """It puts what this machine can reach first: a portal without IPv6 must not pick that one."""
    lead_to(monkeypatch, "52.1.2.3", "2600:1f18::1")
    assert outgoing.check("https://hook.example/").ip == "52.1.2.3"


def test_a_host_in_another_script_is_asked_for_by_its_ascii_name(monkeypatch):
    lead_to(monkeypatch, "8.8.8.8")
    assert outgoing.check("https://пример.example/hook").host == "xn--e1afmkfd.example"


@pytest.mark.parametrize("url", ["https://a..b.example/", "https://" + "a" * 64 + ".example/"])
def test_a_host_that_can_be_no_name_is_refused(url):
    with pytest.raises(outgoing.AddressRefused):
        outgoing.check(url)
