"""Who changes a row that others point at lets them point: or two of them would wait for each other."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.utils import timezone

from integrations.models import AudienceMapping, SentMembership, SyncRow
from integrations.services import list_links, rerun_once
from loyalty.models import AudienceMember
from loyalty.services import audience_saving
from tests.factories import make_audience, make_member, make_tenant
from tests.pages.builders import make_extension, make_run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tenant():
    return make_tenant("acme")


def goes_beside(held: Callable[[], object], beside: Callable[[], object]) -> bool:
    """Whether `beside` ends in a connection of its own while the locks of `held` are held."""
    trouble: list[Exception] = []

    def in_thread() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '1s'")
            beside()
        except Exception as error:
            trouble.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=in_thread)
    with transaction.atomic():
        held()
        thread.start()
        thread.join(5)
    return not trouble


def test_members_join_while_the_name_of_an_audience_is_changed(tenant):
    audience = make_audience(tenant, rule={"field": "points_balance", "op": "gt", "value": 5})
    member = make_member(tenant)
    revision = audience_saving.revision_of(audience)
    assert goes_beside(
        lambda: audience_saving.change(audience, name="New", rule=audience.rule, revision=revision),
        lambda: AudienceMember.objects.create(audience=audience, member=member, joined_at=timezone.now()),
    )


def test_people_are_put_on_a_list_while_somebody_keeps_it_after_all(tenant):
    extension, member = make_extension(tenant, is_active=False), make_member(tenant)
    mapping = AudienceMapping.objects.create(
        extension=extension, audience=make_audience(tenant), list_name="Gold", ending_at=timezone.now()
    )
    assert goes_beside(
        lambda: list_links.keep(mapping),
        lambda: SentMembership.objects.create(mapping=mapping, member=member, origin="added"),
    )


def test_rows_of_a_live_run_are_written_while_it_is_run_again(tenant):
    run, member = make_run(make_extension(tenant), kind="live", status="running"), make_member(tenant)
    assert goes_beside(
        lambda: rerun_once.create(run, failed_only=False, user=None),
        lambda: SyncRow.objects.create(run=run, member=member, verdict="sent"),
    )
