"""Every list of the admin, as a merchant, support, staff and nobody."""

import pytest
from django.urls import reverse

from portal.admin_site import site
from tests.factories import make_tenant, make_user

pytestmark = pytest.mark.django_db

LISTS = sorted(
    f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist" for model in site._registry
)
SUPPORT_SEES = {
    "admin:integrations_syncrun_changelist",
    "admin:integrations_syncrow_changelist",
    "admin:integrations_syncbatch_changelist",
    "admin:integrations_delivery_changelist",
    "admin:loyalty_member_changelist",
}
CLOSED_TO_SUPPORT = {
    "admin:integrations_extension_changelist",
    "admin:tenancy_user_changelist",
    "admin:tenancy_apitoken_changelist",
    "admin:axes_accessattempt_changelist",
}


@pytest.mark.parametrize("name", ["admin:index", *LISTS])
def test_a_merchant_finds_nothing(client, name):
    client.force_login(make_user(make_tenant()))
    assert client.get(reverse(name)).status_code == 404


@pytest.mark.parametrize("name", ["admin:index", *LISTS])
def test_nobody_is_sent_to_the_log_in(client, name):
    answer = client.get(reverse(name), follow=True)
    assert answer.redirect_chain[-1][0].startswith("/login/?next=")


@pytest.mark.parametrize("name", ["admin:index", *LISTS])
def test_staff_see_everything(client, staff, name):
    client.force_login(staff)
    assert client.get(reverse(name)).status_code == 200


@pytest.mark.parametrize("name", LISTS)
def test_support_sees_runs_and_members_and_no_settings(client, support, name):
    client.force_login(support)
    status = client.get(reverse(name)).status_code
    if name in SUPPORT_SEES:
        assert status == 200
    if name in CLOSED_TO_SUPPORT:
        assert status == 403


@pytest.mark.parametrize("name", LISTS)
def test_neither_staff_nor_support_add_anything(client, staff, support, name):
    for person in (staff, support):
        client.force_login(person)
        assert client.get(reverse(name.replace("changelist", "add"))).status_code in (403, 404)


def test_the_queue_has_no_pages_of_its_own(client, staff):
    assert not [model for model in site._registry if model._meta.app_label == "django_q"]
    client.force_login(staff)
    assert client.get("/admin/django_q/").status_code == 404


def test_groups_stay_complete_and_single_when_migrate_runs_again():
    from django.apps import apps
    from django.contrib.auth.models import Group

    from portal.tenancy.groups import keep_groups

    before = Group.objects.get(name="Support").permissions.count()
    for config in apps.get_app_configs():
        keep_groups(config)
    assert Group.objects.filter(name__in=["Staff", "Support"]).count() == 2
    assert Group.objects.get(name="Support").permissions.count() == before
