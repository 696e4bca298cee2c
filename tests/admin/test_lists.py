"""Each list names its joins: fifty rows ask no more queries than five."""

import itertools
import uuid

import pytest
from django.urls import reverse
from django.utils import timezone

from integrations.models import (
    AlertMessage,
    AlertSettings,
    Delivery,
    Dismissal,
    Erasure,
    FailureCare,
    Incident,
    RetiredProperty,
    SyncBatch,
)
from loyalty.models import OutboxEvent
from portal.admin_site import PortalModelAdmin, ReadOnlyAdmin, site
from portal.tenancy import tokens
from tests.factories import make_member, make_tenant, make_user
from tests.pages.builders import make_extension, make_row, make_run

pytestmark = pytest.mark.django_db
_number = itertools.count()


def a_delivery():
    tenant = make_tenant()
    member = make_member(tenant)
    event = OutboxEvent.objects.create(
        tenant=tenant, member=member, kind="points_earned", properties={}, occurred_at=timezone.now()
    )
    Delivery.objects.create(extension=make_extension(tenant), event=event, member_id=member.pk)


def a_row():
    tenant = make_tenant()
    make_row(make_run(make_extension(tenant)), make_member(tenant), "rejected", words="No.")


def a_batch():
    run = make_run(make_extension(make_tenant()))
    SyncBatch.objects.create(run=run, extension=run.extension, kind="profiles", body=b"x", manifest=b"y")


def in_trouble(model, **fields):
    """A maker of rows that belong to a connection each."""
    return lambda: model.objects.create(extension=make_extension(make_tenant()), **fields)


def a_message():
    incident = Incident.objects.create(
        extension=make_extension(make_tenant()), kind="run_failed", words="x", opened_at=timezone.now()
    )
    AlertMessage.objects.create(incident=incident, uid=uuid.uuid4(), channel="email", target="a@example.com")


MAKERS = {
    "integrations_alertmessage": a_message,
    "integrations_alertsettings": lambda: AlertSettings.objects.create(tenant=make_tenant()),
    "integrations_incident": in_trouble(Incident, kind="run_failed", words="x", opened_at=timezone.now()),
    "integrations_dismissal": lambda: in_trouble(Dismissal, code="x", note="x", by=make_user())(),
    "integrations_failurecare": lambda: in_trouble(FailureCare, code="x", owner=make_user())(),
    "integrations_retiredproperty": in_trouble(RetiredProperty, property="x"),
    "integrations_syncrun": lambda: make_run(make_extension(make_tenant()), started_by=make_user()),
    "integrations_syncrow": a_row,
    "integrations_syncbatch": a_batch,
    "integrations_delivery": a_delivery,
    "integrations_erasure": lambda: Erasure.objects.create(
        extension=make_extension(make_tenant()), identifiers="{}"
    ),
    "integrations_extension": lambda: make_extension(make_tenant()),
    "tenancy_user": lambda: make_user(make_tenant()),
    "tenancy_tenant": lambda: make_user(make_tenant()),
    "tenancy_membership": lambda: make_user(make_tenant()),
    "tenancy_apitoken": lambda: tokens.issue(make_tenant(), "till"),
}


@pytest.mark.parametrize("name", MAKERS)
def test_more_rows_ask_no_more_queries(client, staff, name, count_queries):
    client.force_login(staff)
    assert count_queries(MAKERS[name], reverse(f"admin:{name}_changelist"))


@pytest.mark.parametrize("model_admin", site._registry.values(), ids=str)
def test_every_list_stands_on_our_base(model_admin):
    assert isinstance(model_admin, PortalModelAdmin)
    assert not model_admin.show_full_result_count
    assert not [message for message in model_admin.check() if message.id == "portal.E101"]


HISTORY = [model for model, found in site._registry.items() if isinstance(found, ReadOnlyAdmin)]


@pytest.mark.parametrize("model", HISTORY, ids=lambda model: model.__name__)
def test_history_is_read_only_for_superusers_too(rf, model):
    request = rf.get("/")
    request.user = make_user(is_staff=True, is_superuser=True)
    found = site._registry[model]
    assert not found.has_add_permission(request)
    assert not found.has_change_permission(request)
    assert not found.has_delete_permission(request)
    assert "delete_selected" not in found.get_actions(request)


def test_a_run_is_not_deleted_by_any_way(client):
    client.force_login(make_user(is_staff=True, is_superuser=True))
    run = make_run(make_extension(make_tenant()))
    assert client.post(f"/admin/integrations/syncrun/{run.pk}/delete/", {"post": "yes"}).status_code == 403
    assert (
        client.post(f"/admin/integrations/syncrun/{run.pk}/change/", {"status": "failed"}).status_code == 403
    )
    run.refresh_from_db()
    assert run.status == "succeeded"


def test_the_index_shows_what_needs_a_person(client, staff):
    tenant = make_tenant(name="Acme Coffee")
    extension = make_extension(tenant, health="attention", health_reason="The key was revoked.")
    run = make_run(extension, status="partly_failed", rejected=1)
    make_row(run, make_member(tenant), "rejected", code="invalid_email", words="This address cannot exist.")
    client.force_login(staff)
    page = client.get("/admin/").content.decode()
    assert "The key was revoked." in page and "This address cannot exist." in page
    for group in ("Connections", "History", "People", "System"):
        assert f'class="section">{group}<' in page


@pytest.mark.parametrize("address", ["/admin/", "/admin/integrations/syncrun/", "/admin/tenancy/tenant/"])
def test_admin_pages_keep_to_the_content_security_policy(client, staff, address):
    client.force_login(staff)
    page = client.get(address).content.decode()
    assert "<style" not in page and " style=" not in page and "<script>" not in page
