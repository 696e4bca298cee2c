import pytest

from integrations.models import Extension, SyncRun
from loyalty.models import Audience, Member, OutboxEvent, PointsEntry
from portal import demo_people
from portal.tenancy.models import Membership, Tenant, User

pytestmark = pytest.mark.django_db
NOWHERE = "http://127.0.0.1:1"


def test_known_passwords_are_made_in_the_demo_only(run_command):
    assert run_command("seed_demo").status == 2
    assert not User.objects.exists()


def test_the_demo_is_made_once(run_command):
    first = run_command("seed_demo", "--yes", "--sandbox-url", NOWHERE)
    assert first.status == 0, first.err
    fernhill = Tenant.objects.get(slug="demo")
    assert Member.objects.filter(tenant=fernhill).count() == 400
    assert Member.objects.filter(tenant=fernhill, email_malformed=True).count() == 2
    assert Member.objects.filter(tenant=fernhill, email="family.okafor@example.com").count() == 2
    assert PointsEntry.objects.filter(tenant=fernhill).count() > 2_000
    # What is older than a few days is history and starts no flow; the news are few.
    assert OutboxEvent.objects.filter(history=False).count() < 400
    assert all(audience.memberships.filter(left_at=None).exists() for audience in Audience.objects.all())
    assert SyncRun.objects.get().kind == "full"
    assert set(Extension.objects.values_list("tenant__slug", "base_url")) == {
        ("demo", NOWHERE),
        ("harbour", NOWHERE),
    }
    assert Membership.objects.get(user__email="owner@demo.example", tenant__slug="harbour").role == "viewer"
    assert Membership.objects.get(user__email="owner@demo.example", tenant__slug="birch").role == "owner"
    assert not Extension.objects.filter(tenant__slug="birch").exists()
    for person in demo_people.PEOPLE:
        assert User.objects.get(email=person.email).check_password(demo_people.PASSWORD)
    again = run_command("seed_demo", "--yes", "--sandbox-url", "http://127.0.0.1:2")
    assert again.status == 0, again.err
    assert "the practice Klaviyo is at http://127.0.0.1:2" in again.out
    assert (Member.objects.count(), SyncRun.objects.count(), Tenant.objects.count()) == (602, 1, 3)
