import pytest
from django.utils import timezone

from integrations.configuration.problems import ConfigProblems
from integrations.models import AudienceMapping, Extension, Health, Lane, SentMembership
from loyalty import fields
from loyalty.models import Audience, AudienceMember, Tier, TierChange
from portal.tenancy.models import Membership, Tenant, User
from portal.tenancy.secrets import Secret
from tests.configuration.files import ACME, KEY, PASSWORD, apply
from tests.factories import make_audience, make_member, make_tenant, make_tier, make_user

KEY_LINE = """    auth: {method: private_key, private_key: "${ACME_KLAVIYO_KEY}"}\n"""
pytestmark = pytest.mark.django_db


def test_a_tenant_is_made_from_nothing():
    lines = apply()
    tenant = Tenant.objects.get()
    assert (tenant.slug, tenant.name, tenant.timezone, tenant.currency) == (
        "acme", "Acme Coffee", "Europe/London", "GBP",
    )  # fmt: skip
    assert Membership.objects.get().role == "owner"
    assert User.objects.get().check_password(PASSWORD)
    assert Tier.objects.get().threshold == 1000
    assert dict(Audience.objects.values_list("slug", "is_static")) == {"gold-members": False, "press": True}
    extension = Extension.objects.get()
    assert extension.is_active
    assert extension.secret.reveal() == KEY
    assert (extension.merge_policy, extension.health) == ("overwrite", Health.UNCHECKED)
    assert Lane.objects.filter(extension=extension).count() == 2
    assert list(extension.field_mappings.values_list("field", "property", "policy")) == [
        ("points_balance", "Points Balance", ""),
        ("tier_name", "VIP Tier", "fill_empty"),
    ]
    assert list(extension.event_mappings.values_list("kind", "metric", "is_enabled")) == [
        ("tier_lost", "Left A Tier", False)
    ]
    mapping = extension.audience_mappings.get()
    assert (mapping.audience.slug, mapping.list_name, mapping.list_id) == (
        "gold-members",
        "VIP Customers",
        "",
    )
    assert "tenant acme: created" in lines
    assert "extension Klaviyo: switched on" in lines
    assert KEY not in "\n".join(lines)
    assert PASSWORD not in "\n".join(lines)


def test_the_second_time_nothing_changes():
    apply()
    assert apply() == ["acme: nothing to change"]


def test_a_dry_run_says_the_same_and_writes_nothing():
    told = apply(dry_run=True)
    assert not Tenant.objects.exists()
    assert not User.objects.exists()
    assert told == apply()


def test_what_is_absent_is_left_and_reported():
    apply()
    tenant = Tenant.objects.get()
    make_audience(tenant, "walk-ins")
    make_tier(tenant, "silver", 10)
    make_user(tenant, email="old@acme.example")
    Extension.objects.create(tenant=tenant, destination="klaviyo", name="Old")
    assert apply() == [
        "acme: nothing to change",
        "left alone: user old@acme.example",
        "left alone: tier silver",
        "left alone: audience walk-ins",
        "left alone: extension Old",
    ]


def test_members_follow_tiers_and_rules_at_once():
    tenant = make_tenant("acme")
    make_member(tenant, points_balance=500, points_lifetime=2000)
    lines = apply()
    assert TierChange.objects.count() == 1
    assert AudienceMember.objects.filter(audience__slug="gold-members", left_at=None).count() == 1
    assert "tiers: 1 member moved" in lines
    assert "audience gold-members: now holds 1 member" in lines
    lines = apply(ACME.replace("value: 100}", "value: 501}"))
    assert lines[:2] == ["audience gold-members: rule changed", "audience gold-members: now holds 0 members"]


def test_a_person_without_password_is_given_a_link(settings, client):
    settings.PORTAL_URL = "https://portal.example"
    text = ACME.replace(', password: "${ACME_OWNER_PASSWORD}"', "")
    link = apply(text)[-1]
    assert "One-time link to set it: https://portal.example/password/set/" in link
    assert client.get(link.partition("https://portal.example")[2]).status_code == 302
    again = apply(text)
    assert again[0] == "acme: nothing to change"
    assert "/password/set/" in again[1]
    assert "/password/set/" not in "".join(apply(text, dry_run=True))


def test_a_password_is_changed_only_when_another_one_is_given():
    apply()
    before = User.objects.get().password
    apply(ACME.replace(', password: "${ACME_OWNER_PASSWORD}"', ""))
    apply()
    assert User.objects.get().password == before
    assert apply(environment={"ACME_KLAVIYO_KEY": KEY, "ACME_OWNER_PASSWORD": "another-long-one"}) == [
        "user owner@acme.example: password changed"
    ]


def test_a_role_is_changed():
    apply()
    assert apply(ACME.replace("role: owner", "role: viewer")) == [
        "user owner@acme.example: role owner → viewer"
    ]


def test_fields_match_the_file_exactly():
    apply()
    text = ACME.replace("      - {field: points_balance, property: Points Balance}\n", "").replace(
        "policy: fill_empty", "policy: max"
    )
    assert apply(text)[:2] == [
        "extension Klaviyo, property Points Balance: removed; its values stay there",
        "extension Klaviyo, property VIP Tier: policy fill_empty → max",
    ]


def test_omitted_fields_are_the_standard_set():
    start, end = ACME.index("    fields:"), ACME.index("    events:")
    apply(ACME[:start] + ACME[end:])
    mapped = tuple(Extension.objects.get().field_mappings.values_list("field", "property"))
    assert mapped == fields.STANDARD_PROPERTIES


def test_events_that_are_not_named_are_as_usual_again():
    apply()
    assert apply(ACME.replace("      tier_lost: {metric: Left A Tier, enabled: false}\n", "")) == [
        "extension Klaviyo, event tier_lost: as usual again"
    ]


def test_another_list_is_another_mapping():
    apply()
    AudienceMapping.objects.update(list_id="L1", read_at=timezone.now(), read_cursor="x", problem="gone")
    SentMembership.objects.create(mapping=AudienceMapping.objects.get(), member=make_member(), origin="added")
    assert apply(ACME.replace("VIP Customers", "Best Customers")) == [
        "extension Klaviyo, list VIP Customers: removed; who is on it stays there",
        "extension Klaviyo, list Best Customers: added, for audience gold-members",
    ]
    mapping = AudienceMapping.objects.get()
    assert (mapping.list_id, mapping.read_at, mapping.read_cursor, mapping.problem) == ("", None, "", "")
    assert not SentMembership.objects.exists()


def test_a_changed_list_mapping_keeps_its_list_and_loses_its_problem():
    apply()
    AudienceMapping.objects.update(problem="There is no list called “VIP Customers”.")
    told = apply(ACME.replace("remove_leavers: true", "remove_leavers: false, paused: true"))
    assert told == [
        "extension Klaviyo, list VIP Customers: remove leavers yes → no, paused no → yes, tried again"
    ]
    assert AudienceMapping.objects.get().problem == ""


def test_a_working_connection_follows_changes_by_itself():
    apply()
    Extension.objects.update(account_id="ACME01", health=Health.OK, full_due_at=None)
    assert apply(
        ACME.replace("throttle_share: 80", "").replace("active: true", "active: true\n    throttle_share: 50")
    )
    assert Extension.objects.get().full_due_at is None
    told = apply(ACME.replace("merge_policy: overwrite", "merge_policy: max"))
    assert "merge_policy overwrite → max" in told[0]
    assert told[1] == "extension Klaviyo: a full run follows by itself, so that everybody matches."
    extension = Extension.objects.get()
    assert extension.full_due_at is not None
    assert extension.full_due_reason == "Mapping changed"


def test_a_new_key_must_be_checked_again():
    apply()
    Extension.objects.update(health=Health.OK)
    told = apply(environment={"ACME_KLAVIYO_KEY": "pk_new_key", "ACME_OWNER_PASSWORD": PASSWORD})
    assert told == ["extension Klaviyo: key stored, checked as soon as a worker is there"]
    assert Extension.objects.get().health == Health.UNCHECKED


def test_another_address_must_be_checked_again():
    apply()
    Extension.objects.update(health=Health.OK)
    apply(ACME.replace("active: true", "active: true\n    base_url: http://127.0.0.1:8400"))
    assert Extension.objects.get().health == Health.UNCHECKED


def test_a_key_does_not_go_to_another_address():
    elsewhere = "active: true\n    base_url: http://127.0.0.1:9999"
    apply()
    told = apply(ACME.replace("active: true", elsewhere).replace(KEY_LINE, ""))
    assert "extension Klaviyo: key cleared, because it was entered for another address" in told
    assert Extension.objects.get().secret is None
    apply(ACME.replace("active: true", elsewhere))
    assert Extension.objects.get().secret is not None


OAUTH = ACME.replace('{method: private_key, private_key: "${ACME_KLAVIYO_KEY}"}', "{method: oauth}")


def test_oauth_is_connected_in_the_browser():
    told = apply(OAUTH)[-1]
    extension = Extension.objects.get()
    page = f"http://127.0.0.1:8000/t/acme/integrations/{extension.pk}/"
    assert told == f"extension Klaviyo: not connected yet. To connect open {page}"
    assert (extension.auth_method, extension.secret, extension.is_active) == ("oauth", None, True)
    assert apply(OAUTH) == ["acme: nothing to change", told]


def test_a_key_stays_until_somebody_connects_by_oauth():
    apply()
    told = apply(OAUTH)
    assert told[0] == "acme: nothing to change" and "still connected by its private key" in told[1]
    extension = Extension.objects.get()
    assert (extension.auth_method, extension.secret.reveal()) == ("private_key", KEY)


def test_a_grant_stays_as_it_is_and_gives_way_to_a_key():
    apply(OAUTH)
    Extension.objects.update(secret=Secret("access"), refresh_token=Secret("refresh"), account_id="A")
    assert apply(OAUTH) == ["acme: nothing to change"]
    assert Extension.objects.get().refresh_token.reveal() == "refresh"
    apply()
    extension = Extension.objects.get()
    assert (extension.auth_method, extension.secret.reveal(), extension.refresh_token) == (
        "private_key",
        KEY,
        None,
    )


def test_a_connection_that_was_removed_there_waits_for_somebody():
    apply(OAUTH)
    Extension.objects.update(is_active=False, removed_at=timezone.now(), refresh_token=Secret("refresh"))
    told = apply(OAUTH)
    assert told[0] == "acme: nothing to change" and "To reconnect open" in told[1]
    assert not Extension.objects.get().is_active


def test_switching_is_left_alone_where_the_file_does_not_say():
    apply()
    assert apply(ACME.replace("active: true", "active: false")) == ["extension Klaviyo: switched off"]
    assert apply(ACME.replace("    active: true\n", "")) == ["acme: nothing to change"]
    assert not Extension.objects.get().is_active


def test_a_second_active_connection_is_refused_as_a_whole():
    apply()
    text = ACME.replace("name: Klaviyo", "name: Second").replace("Acme Coffee", "Changed")
    with pytest.raises(ConfigProblems, match="Switch that one off first"):
        apply(text)
    assert Tenant.objects.get().name == "Acme Coffee"
    assert Extension.objects.count() == 1


def test_a_list_that_is_being_unlinked_is_kept_when_the_file_names_it():
    apply()
    AudienceMapping.objects.update(ending_at=timezone.now())
    assert any("kept, though it was being unlinked" in line for line in apply())
    assert AudienceMapping.objects.get().ending_at is None
