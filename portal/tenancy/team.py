"""The people of a tenant: their roles, and who leaves. A tenant always keeps an owner who can sign in."""

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from portal.tenancy.models import AuthenticatorDevice, Membership, Role, Tenant

LAST_OWNER = (
    "This is the last owner. Make somebody else an owner first: without one, nobody could change "
    "the team or the settings."
)


class TeamRefused(Exception):
    """What was asked cannot be done; `words` say why, and what to do."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


def people(tenant: Tenant) -> QuerySet[Membership]:
    """Everybody of the tenant, with `has_two_factor`."""
    confirmed = AuthenticatorDevice.objects.filter(user=OuterRef("user"), confirmed=True)
    return (
        tenant.memberships.select_related("user")
        .annotate(has_two_factor=Exists(confirmed))
        .order_by("user__email")
    )


@transaction.atomic
def change_role(membership: Membership, role: Role) -> bool:
    """Give another role; False if it is theirs already. Raises TeamRefused for the last owner."""
    _hold(membership.tenant_id)
    present = Membership.objects.get(pk=membership.pk)
    if present.role == role:
        return False
    _keep_an_owner(present)
    present.role = role
    present.save(update_fields=["role"])
    return True


@transaction.atomic
def remove(membership: Membership) -> None:
    """Take a person out of the tenant; the account stays. Raises TeamRefused for the last owner."""
    _hold(membership.tenant_id)
    present = Membership.objects.filter(pk=membership.pk).first()
    if present is not None:
        _keep_an_owner(present)
        present.delete()


def is_last_owner(membership: Membership) -> bool:
    if membership.role != Role.OWNER:
        return False
    others = Membership.objects.filter(
        tenant_id=membership.tenant_id, role=Role.OWNER, user__is_active=True
    ).exclude(pk=membership.pk)
    return not others.exists()


def _keep_an_owner(membership: Membership) -> None:
    if is_last_owner(membership):
        raise TeamRefused(LAST_OWNER)


def _hold(tenant_id: int) -> None:
    """One change of a team at a time: two owners who remove each other at once would leave none.

    NO KEY, so that the members that come in meanwhile (their foreign key shares the row) wait for nothing.
    """
    Tenant.objects.select_for_update(no_key=True).get(pk=tenant_id)
