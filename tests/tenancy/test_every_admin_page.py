"""Every list of the admin, as a merchant, support, staff and nobody."""

import pytest
from django.urls import reverse

from portal.admin_site import site
from tests.factories import make_tenant, make_user
from tests.pages.builders import make_extension

pytestmark = pytest.mark.django_db

LISTS = sorted(
    f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist" for model in site._registry
)
PAGES = [
    "admin:support_desk",
    "admin:support_aside",
    "admin:audit",
    "admin:audit_csv",
    "admin:syncrun_runs_csv",
]
OPEN = ["admin:index", *PAGES, *LISTS]
SUPPORT_SEES = {
    "admin:support_desk",
    "admin:support_aside",
    "admin:syncrun_runs_csv",
    "admin:integrations_dismissal_changelist",
    "admin:integrations_failurecare_changelist",
    "admin:integrations_incident_changelist",
    "admin:integrations_syncrun_changelist",
    "admin:integrations_syncrow_changelist",
    "admin:integrations_syncbatch_changelist",
    "admin:integrations_delivery_changelist",
    "admin:loyalty_member_changelist",
}
CLOSED_TO_SUPPORT = {
    "admin:audit",
    "admin:audit_csv",
    "admin:integrations_alertsettings_changelist",
    "admin:integrations_alertmessage_changelist",
    "admin:integrations_retiredproperty_changelist",
    "admin:integrations_extension_changelist",
    "admin:tenancy_user_changelist",
    "admin:tenancy_apitoken_changelist",
    "admin:axes_accessattempt_changelist",
}


@pytest.mark.parametrize("name", OPEN)
def test_a_merchant_finds_nothing(client, name):
    client.force_login(make_user(make_tenant()))
    assert client.get(reverse(name)).status_code == 404


@pytest.mark.parametrize("name", OPEN)
def test_nobody_is_sent_to_the_log_in(client, name):
    answer = client.get(reverse(name), follow=True)
    assert answer.redirect_chain[-1][0].startswith("/login/?next=")


@pytest.mark.parametrize("name", OPEN)
def test_staff_see_everything(client, staff, name):
    client.force_login(staff)
    assert client.get(reverse(name)).status_code == 200


@pytest.mark.parametrize("name", [*PAGES, *LISTS])
def test_support_sees_runs_and_members_and_no_settings(client, support, name):
    client.force_login(support)
    status = client.get(reverse(name)).status_code
    if name in SUPPORT_SEES:
        assert status == 200
    if name in CLOSED_TO_SUPPORT:
        assert status == 403


STAFF_ADDS = {
    f"admin:{model}_changelist"
    for model in (
        "tenancy_tenant", "tenancy_membership", "tenancy_apitoken", "tenancy_user",
        "loyalty_tier", "loyalty_audience", "integrations_extension",
    )
}  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
def test_staff_add_what_is_their_work_and_support_nothing(client, staff, support, name):
    address = reverse(name.replace("changelist", "add"))
    client.force_login(staff)
    assert (client.get(address).status_code == 200) is (name in STAFF_ADDS)
    client.force_login(support)
    assert client.get(address).status_code in (403, 404)


def test_staff_change_connections_with_their_mappings(client, staff):
    extension = make_extension(make_tenant())
    client.force_login(staff)
    answer = client.get(reverse("admin:integrations_extension_change", args=[extension.pk]))
    assert "new_key" in answer.context["adminform"].form.fields
    assert all(inline.has_add_permission for inline in answer.context["inline_admin_formsets"])
    asked = {"action": "switch_off", "_selected_action": [extension.pk]}
    client.post(reverse("admin:integrations_extension_changelist"), asked)
    extension.refresh_from_db()
    assert not extension.is_active


def test_staff_change_merchants_and_no_account_of_power(client, staff, support):
    merchant, boss = make_user(make_tenant()), make_user(is_staff=True, is_superuser=True)
    client.force_login(staff)
    sent = {
        "email": "new@example.com", "is_active": "on", "is_staff": "on", "is_superuser": "on",
        "memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0",
    }  # fmt: skip
    change = "admin:tenancy_user_change"
    assert client.post(reverse(change, args=[merchant.pk]), sent).status_code == 302
    merchant.refresh_from_db()
    assert merchant.email == "new@example.com" and not merchant.is_staff and not merchant.is_superuser
    for person in (staff, support, boss):
        assert client.post(reverse(change, args=[person.pk]), sent).status_code == 403
    link = {"action": "password_link", "_selected_action": [support.pk, boss.pk]}
    answer = client.post(reverse("admin:tenancy_user_changelist"), link, follow=True)
    assert "/password/set/" not in answer.content.decode()


def test_groups_and_permissions_stay_with_superusers(client, staff):
    from django.contrib.auth.models import Group

    client.force_login(staff)
    group = Group.objects.get(name="Staff")
    address = reverse("admin:auth_group_change", args=[group.pk])
    assert client.post(address, {"name": "Gods", "permissions": []}).status_code == 403


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


OF_A_CAUSE = ("support_cause", "support_care", "support_csv", "support_rerun", "support_dismiss")


@pytest.mark.parametrize("name", OF_A_CAUSE)
def test_a_cause_is_closed_to_merchants_and_to_nobody(client, name):
    extension = make_extension(make_tenant())
    address = reverse(f"admin:{name}", args=[extension.pk])
    answer = client.get(address, follow=True)
    assert answer.redirect_chain[-1][0].startswith("/login/?next=")
    client.force_login(make_user(extension.tenant))
    assert client.get(address).status_code == 404 and client.post(address).status_code == 404


@pytest.mark.parametrize("name", OF_A_CAUSE)
def test_staff_and_support_open_a_cause(client, staff, support, name):
    address = reverse(f"admin:{name}", args=[make_extension(make_tenant()).pk])
    for person in (staff, support):
        client.force_login(person)
        assert client.get(address).status_code == (405 if name == "support_care" else 200)


def test_the_desk_leads_the_history(client, support):
    client.force_login(support)
    groups = {group["name"]: group["models"] for group in client.get("/admin/").context["available_apps"]}
    assert groups["History"][0]["name"] == "Support desk"
