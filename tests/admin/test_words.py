"""What people read in the admin: names of rows, numbers, flags and dates."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse

from integrations.models import Delivery, SyncBatch
from loyalty.models import AudienceMember, OutboxEvent
from tests.factories import make_audience, make_member, make_tenant
from tests.pages.builders import make_extension, make_row, make_run, make_troubled_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant():
    return make_tenant("acme")


@pytest.fixture
def ada(tenant):
    return make_member(tenant, first_name="Ada", email="ada@example.com")


def test_rows_have_names_for_people(tenant, ada):
    extension = make_extension(tenant)
    run = make_run(extension)
    event = OutboxEvent(tenant=tenant, member=ada, kind="points_earned", properties={})
    stay = AudienceMember(audience=make_audience(tenant, name="Regulars"), member=ada)
    assert str(make_row(run, ada, "rejected")).startswith("Ada: ")
    assert str(SyncBatch(pk=5, run=run, kind="profiles")).startswith(f"Batch #5 of run #{run.pk}: ")
    assert str(event) == "Points earned: Ada"
    assert str(Delivery(event=event, extension=extension)) == "Points earned: Ada to Klaviyo"
    assert str(stay) == "Ada in Regulars"


def test_no_number_of_a_row_has_separators(client, staff, tenant, ada):
    run = make_troubled_run(make_extension(tenant), ada, pk=1_234_567)
    child = make_run(run.extension, parent=run, pk=1_234_568)
    batch = SyncBatch.objects.create(pk=7_654_321, run=run, extension=run.extension, kind="profiles")
    client.force_login(staff)
    for address, shown in (
        ("/admin/", run.pk),
        ("/admin/integrations/syncbatch/", batch.pk),
        (f"/admin/integrations/syncrun/{child.pk}/change/", run.pk),
        (f"/admin/integrations/syncbatch/{batch.pk}/change/", batch.pk),
        (f"/t/acme/runs/{child.pk}/", run.pk),
        ("/t/acme/runs/", run.pk),
    ):
        page = client.get(address).content.decode()
        assert f"#{shown}" in page and f"{shown:,}" not in page, address


def test_flags_are_words_and_times_have_24_hours(client, staff, ada):
    ada.last_activity_at = datetime(2026, 11, 20, 15, 5, tzinfo=UTC)
    ada.email_malformed = True
    ada.save()
    client.force_login(staff)
    page = client.get(reverse("admin:loyalty_member_change", args=[ada.pk])).content.decode()
    assert "no: it is malformed, and never sent" in page and "icon-no" not in page
    assert "20 Nov 2026, 15:05" in page and "p.m." not in page


def test_the_rule_of_a_new_audience_is_empty_with_an_example(client, staff):
    client.force_login(staff)
    page = client.get(reverse("admin:loyalty_audience_add")).content.decode()
    assert ">\nnull</textarea>" not in page and "points_balance" in page


def test_what_is_not_there_is_said(client, staff):
    client.force_login(staff)
    page = client.get("/admin/loyalty/member/999999/change/", follow=True).content.decode()
    assert "doesn’t exist" in page


def test_support_is_told_to_ask_an_administrator(client, support):
    client.force_login(support)
    answer = client.get(reverse("admin:integrations_extension_changelist"))
    assert answer.status_code == 403 and "Ask an administrator" in answer.content.decode()
