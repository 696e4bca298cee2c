"""One person is sent again: nothing that we know of them, and nothing that was decided, is lost by it."""

import pytest

from integrations.models import AudienceMapping, Delivery, SentMembership
from integrations.services import list_links, reruns, resending
from tests.factories import make_audience, make_tenant
from tests.services.builders import drain, happen, people, put_in, run, take_out, touch
from tests.services.conftest import Connect, connect, fake, remote

pytestmark = pytest.mark.django_db
__all__ = ["connect", "fake", "remote"]  # fixtures


@pytest.fixture
def gold(connect: Connect, remote):
    """Two members on the list by us."""
    tenant = make_tenant()
    audience = make_audience(tenant)
    members = people(tenant, 2)
    put_in(audience, *members, mark=False)
    extension = connect(tenant, lists={audience: "Gold"})
    run(extension)
    assert remote.members("Gold") == ["M-0", "M-1"]
    return extension, audience, members


def test_resending_while_the_list_is_unlinked_still_takes_them_off(gold, remote):
    extension, _, members = gold
    list_links.remove_added(AudienceMapping.objects.select_related("extension").get())
    resending.resend(extension, members[0], user=None)
    drain(extension)
    assert remote.members("Gold") == []
    assert not AudienceMapping.objects.exists()


def test_who_is_held_back_is_still_known_to_be_on_the_list(gold, remote):
    """Forgotten, they would stay on it for ever once they leave the audience."""
    extension, audience, members = gold
    touch(members[0], email="")
    drain(extension)
    resending.resend(extension, members[0], user=None)
    drain(extension)
    assert SentMembership.objects.filter(member=members[0], origin="added").exists()
    take_out(audience, members[0])
    drain(extension)
    assert remote.members("Gold") == ["M-1"]


@pytest.mark.parametrize("again", ["the person", "the failed rows"])
def test_an_event_that_was_discarded_stays_so(gold, remote, again):
    extension, _, members = gold
    event = happen(members[0])
    drain(extension)
    delivery = Delivery.objects.get(event=event)
    failed = delivery.batch.run
    failed.rows.create(member=members[0], delivery_id=delivery.pk, verdict="failed")
    Delivery.objects.update(
        state="held", code="discarded", words="Discarded when this event was switched off."
    )
    remote.events.clear()
    if again == "the person":
        resending.resend(extension, members[0], user=None)
    else:
        reruns.create(failed, failed_only=True)
    drain(extension)
    assert remote.uids() == []
    assert Delivery.objects.get(event=event).code == "discarded"
