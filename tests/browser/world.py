"""A programme with something on every page, made as it lies in the database."""

from datetime import timedelta

from django.utils import timezone

from integrations.models import (
    AudienceMapping,
    EventMapping,
    Extension,
    FieldMapping,
    FreshnessSample,
    Incident,
    RateSample,
    SentMembership,
    SentProfile,
)
from loyalty.models import AudienceMember, Member
from portal.tenancy import invitations
from portal.tenancy.models import Role, Tenant
from portal.tenancy.tokens import issue
from tests.factories import make_audience, make_member, make_tenant, make_tier, make_user
from tests.pages.builders import make_extension, make_row, make_run, make_troubled_run

GOLD = {"all": [{"field": "tier_slug", "op": "equals", "value": "gold"}, {"any": [
    {"field": "points_balance", "op": "at_least", "value": 100},
    {"field": "last_activity_at", "op": "within_last_days", "value": 90},
]}]}  # fmt: skip


def make_world() -> dict[str, object]:
    """Keys are the parameters of addresses; `tenant` and `owner@example.com` stand for the rest."""
    tenant = make_tenant("acme", name="Acme Coffee", timezone="Europe/London", currency="GBP")
    owner = make_user(tenant, role="owner", email="owner@example.com", first_name="Ada", last_name="Owner")
    colleague = make_user(tenant, role="viewer", email="viewer@example.com")
    token, _ = issue(tenant, "till")
    invitation, _ = invitations.make(tenant, email="new@example.com", role=Role.VIEWER, by=owner)
    # Nothing listens there: pages that ask the other side say so instead of waiting.
    extension = make_extension(tenant, is_practice=True, account_id="AbC123", base_url="http://127.0.0.1:9")
    members = _members(tenant)
    audience = make_audience(tenant, "gold-members", rule=GOLD, name="Gold members")
    make_audience(tenant, "press", name="Press")
    mapping = _mappings(extension, audience, members)
    run = _runs(extension, members)
    Incident.objects.create(
        extension=extension,
        kind="many_failed",
        words="40 of 100 rows failed.",
        opened_at=timezone.now(),
        run=run,
    )
    return {
        "slug": "acme",
        "membership_id": colleague.memberships.get().pk,
        "invitation_id": invitation.pk,
        "token_id": token.pk,
        "run_id": run.pk,
        "member_id": members[0].pk,
        "extension_id": extension.pk,
        "audience_id": audience.pk,
        "kind": "points_earned",
        "list_mapping_id": mapping.pk,
        "field_mapping_id": extension.field_mappings.first().pk,
    }


def _members(tenant: Tenant) -> list[Member]:
    gold = make_tier(tenant)
    names = [("Grace", "Hopper"), ("Katherine", "Johnson-Vaughan"), ("Sofia", "Wegscheider-Kowalewskaja")]
    return [
        make_member(
            tenant,
            first_name=first,
            last_name=last,
            tier=gold,
            points_balance=1200 + at,
            points_lifetime=4000,
            last_activity_at=timezone.now() - timedelta(days=at),
            attributes={"favourite_drink": "Flat white"},
        )
        for at, (first, last) in enumerate(names)
    ]


def _mappings(extension: Extension, audience, members: list[Member]) -> AudienceMapping:
    now = timezone.now()
    AudienceMember.objects.bulk_create(
        AudienceMember(audience=audience, member=member, joined_at=now) for member in members
    )
    FieldMapping.objects.create(extension=extension, field="points_balance", property="Points Balance")
    FieldMapping.objects.create(
        extension=extension, field="tier_name", property="VIP Tier", policy="fill_empty"
    )
    EventMapping.objects.create(extension=extension, kind="points_earned", metric="Points Earned")
    mapping = AudienceMapping.objects.create(
        extension=extension, audience=audience, list_name="VIP Customers", list_id="L1", read_at=now
    )
    SentMembership.objects.create(mapping=mapping, member=members[0], origin="added")
    SentProfile.objects.create(
        extension=extension,
        member=members[0],
        remote_id="01PROFILE",
        sent_at=now,
        verdict="sent",
        payload={"email": members[0].email, "properties": {"Points Balance": 1100}},
    )
    for hours in range(6):
        at = now - timedelta(hours=hours)
        RateSample.objects.create(pool="klaviyo:AbC123:private_key:", minute=at, used=10 * hours, calls=30)
        FreshnessSample.objects.create(
            extension=extension, minute=at, waiting=hours, oldest_seconds=hours * 2
        )
    return mapping


def _runs(extension: Extension, members: list[Member]):
    make_run(extension, status="succeeded", sent=200, planned=200)
    make_run(extension, status="running", phase="send", planned=10_000, sent=2_400)
    run = make_troubled_run(extension, members[0], reason="After the import")
    make_row(run, members[1], "sent", action="updated", changes={"Points Balance": [90, 120]})
    make_row(run, members[2], "held", code="no_identifier", words="Held: no usable e-mail address.")
    return run
