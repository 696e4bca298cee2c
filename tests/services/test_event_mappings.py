"""Switching and renaming events of one connection."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.errors import ConfigurationError
from integrations.models import Delivery, EventMapping
from integrations.services import event_mappings, routing
from loyalty.models import OutboxEvent
from loyalty.rules.event_kinds import KINDS
from tests.factories import make_member
from tests.services.conftest import drain

pytestmark = pytest.mark.django_db


@pytest.fixture
def extension(connect):
    return connect()


def happen(extension, kind="points_earned", count=1):
    member = make_member(extension.tenant)
    for _ in range(count):
        OutboxEvent.objects.create(
            tenant=extension.tenant,
            member=member,
            kind=kind,
            properties=KINDS[kind].sample,
            occurred_at=timezone.now(),
        )


def test_every_kind_is_on_under_its_usual_name_unless_said_otherwise(extension):
    told = event_mappings.told(extension)
    assert [one.kind.key for one in told] == list(KINDS)
    assert all(one.is_enabled and not one.is_renamed for one in told)


def test_what_was_sent_and_what_waits_are_counted_by_kind(extension):
    happen(extension, count=3)
    drain(extension)
    happen(extension, count=2)
    happen(extension, "tier_achieved")
    routing.route(extension)
    told = {one.kind.key: one for one in event_mappings.told(extension)}
    assert (told["points_earned"].sent, told["points_earned"].waiting) == (3, 2)
    assert told["points_earned"].last_at is not None
    assert (told["tier_achieved"].sent, told["tier_achieved"].waiting) == (0, 1)


def test_what_was_sent_long_ago_is_not_counted(extension):
    happen(extension)
    drain(extension)
    Delivery.objects.update(settled_at=timezone.now() - timedelta(days=31))
    assert event_mappings.told(extension, only="points_earned")[0].sent == 0


def test_the_figures_ask_twice_whatever_is_mapped(extension, django_assert_num_queries):
    for kind in KINDS:
        EventMapping.objects.create(extension=extension, kind=kind, metric=kind)
    happen(extension, count=2)
    (found,) = event_mappings.connections_of(extension.tenant)
    with django_assert_num_queries(2):
        event_mappings.told(found)


def test_an_event_that_is_off_is_sent_no_more(extension, remote):
    event_mappings.switch(extension, "points_earned", is_enabled=False)
    happen(extension)
    happen(extension, "tier_achieved")
    drain(extension)
    assert [event.metric for event in remote.events] == ["Tier Achieved"]


def test_what_happened_before_the_switch_is_sent_all_the_same(extension, remote):
    happen(extension, count=2)
    event_mappings.switch(extension, "points_earned", is_enabled=False)
    drain(extension)
    assert len(remote.events) == 2


def test_what_waits_can_be_discarded_with_the_switch(extension, remote):
    happen(extension, count=2)
    happen(extension, "tier_achieved")
    assert event_mappings.switch(extension, "points_earned", is_enabled=False, discards=True) == 2
    drain(extension)
    assert [event.metric for event in remote.events] == ["Tier Achieved"]
    assert set(Delivery.objects.filter(state="held").values_list("code", flat=True)) == {"discarded"}


def test_a_switch_keeps_the_name(extension):
    event_mappings.rename(extension, "points_earned", "Acme Points")
    event_mappings.switch(extension, "points_earned", is_enabled=False)
    event_mappings.switch(extension, "points_earned", is_enabled=True)
    row = EventMapping.objects.get()
    assert (row.metric, row.is_enabled) == ("Acme Points", True)


def test_a_renamed_event_goes_under_its_new_name_also_where_it_waits(extension, remote):
    happen(extension)
    routing.route(extension)
    event_mappings.rename(extension, "points_earned", "Acme Points")
    drain(extension)
    assert [event.metric for event in remote.events] == ["Acme Points"]


@pytest.mark.parametrize("metric", ["Tier Achieved", "tier achieved"])
def test_two_events_never_share_a_metric(extension, metric):
    with pytest.raises(ConfigurationError, match="metric of “Tier achieved” already"):
        event_mappings.rename(extension, "points_earned", metric)
    assert not EventMapping.objects.exists()


def test_a_name_that_another_event_gave_up_is_free(extension):
    event_mappings.rename(extension, "tier_achieved", "Acme Tier")
    event_mappings.rename(extension, "points_earned", "Tier Achieved")
    assert event_mappings.metrics(extension)[0].metric == "Tier Achieved"


def test_a_name_that_the_destination_refuses_is_refused(extension):
    with pytest.raises(ConfigurationError, match="empty"):
        event_mappings.rename(extension, "points_earned", " ")


def test_other_connections_keep_their_events(extension, connect):
    other = connect()
    event_mappings.switch(extension, "points_earned", is_enabled=False)
    event_mappings.rename(extension, "tier_lost", "Acme Lost")
    assert all(one.is_enabled and not one.is_renamed for one in event_mappings.told(other))
