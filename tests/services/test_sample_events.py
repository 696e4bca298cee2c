"""A sample goes the way of a real event, and touches nothing of the programme."""

import json

import pytest
from auditlog.models import LogEntry

from integrations.errors import ConfigurationError, Temporary
from integrations.models import Delivery, EventMapping, SentProfile
from integrations.services import sample_events
from loyalty.models import Member, OutboxEvent, PointsEntry
from loyalty.rules.event_kinds import KINDS
from tests.factories import make_member, make_tenant, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def extension(connect):
    return connect()


@pytest.fixture
def user(extension):
    return make_user(extension.tenant, role="manager", email="ada@shop.example")


def send(extension, user, email="test@shop.example", kind="points_earned"):
    return sample_events.send(extension, kind, email=email, user=user)


def test_it_arrives_with_sample_values_and_says_what_it_is(extension, user, remote):
    EventMapping.objects.create(extension=extension, kind="points_earned", metric="Acme Points")
    assert send(extension, user) == "Acme Points"
    (event,) = remote.events
    assert event.metric == "Acme Points" and not event.history
    assert event.properties == {**KINDS["points_earned"].sample, "Sample": True}
    assert event.sent_with == {"email": "test@shop.example"}


def test_each_has_an_id_of_its_own(extension, user, remote):
    send(extension, user)
    send(extension, user)
    assert len({event.uid for event in remote.events}) == 2


def test_nothing_of_the_programme_changes(extension, user):
    send(extension, user)
    for model in (Member, OutboxEvent, Delivery, SentProfile, PointsEntry):
        assert not model.objects.exists()


@pytest.mark.parametrize("email", ["ann@shop.example", "ANN@shop.example"])
def test_a_member_is_told_nothing_that_never_happened(extension, user, remote, email):
    make_member(extension.tenant, email="ann@shop.example")
    with pytest.raises(ConfigurationError, match="address of a member"):
        send(extension, user, email.lower())
    assert not remote.events


def test_ones_own_address_is_taken_though_one_is_a_member(extension, user, remote):
    make_member(extension.tenant, email=user.email)
    send(extension, user, user.email)
    assert len(remote.events) == 1


def test_a_member_of_another_tenant_is_nobody_here(extension, user, remote):
    make_member(make_tenant(), email="ann@shop.example")
    send(extension, user, "ann@shop.example")
    assert len(remote.events) == 1


def test_nothing_is_sent_while_the_connection_is_off(extension, user, remote):
    extension.is_active = False
    with pytest.raises(ConfigurationError, match="switched off"):
        send(extension, user)
    assert not remote.events


def test_who_sent_it_is_kept_for_staff(extension, user):
    send(extension, user)
    entry = LogEntry.objects.filter(actor=user).get()
    assert entry.object_pk == str(extension.pk)
    assert entry.changes == {"sample_event": ["", "Points Earned to test@shop.example"]}
    assert "key" not in json.dumps(entry.serialized_data or {})


def test_what_was_not_sent_is_not_kept(extension, user, remote):
    remote.fail("send_event", Temporary("Away."))
    with pytest.raises(Temporary):
        send(extension, user)
    assert not LogEntry.objects.filter(actor=user).exists()


@pytest.mark.parametrize("kind", KINDS)
def test_the_body_that_is_shown_is_that_of_the_real_message(extension, kind):
    shown = sample_events.body(extension, kind)
    assert shown["metric"] == KINDS[kind].metric
    assert shown["told"] == KINDS[kind].sample
    assert shown["profile"]["properties"] == {"Points": 1240}
    assert shown["profile"]["values"]["email"] == "ada@example.com"
