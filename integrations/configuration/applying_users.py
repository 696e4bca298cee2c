"""Who may sign in for a tenant, and with what role."""

from collections.abc import Sequence

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from integrations.configuration.changes import Changes
from integrations.configuration.wanted import WantedUser
from portal.tenancy.models import Membership, Tenant, User


def apply(tenant: Tenant, wanted: Sequence[WantedUser], changes: Changes, *, dry_run: bool) -> None:
    """Create people, set the passwords that are given, and match the roles. Nobody is removed."""
    for person in wanted:
        user = _user(person, changes)
        _role(tenant, user, person.role, changes)
        if not user.has_usable_password():
            link = "(printed when it is applied)" if dry_run else link_to_set_password(user)
            changes.note(f"user {user.email}: has no password yet. One-time link to set it: {link}")
    named = [person.email for person in wanted]
    for membership in tenant.memberships.exclude(user__email__in=named).select_related("user"):
        changes.leave(f"user {membership.user.email}")


def link_to_set_password(user: User) -> str:
    """An address at which the person sets a password, once; it ends like any link to reset one."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    token = default_token_generator.make_token(user)
    return str(settings.PORTAL_URL) + reverse("password_reset_confirm", args=[uid, token])


def _user(person: WantedUser, changes: Changes) -> User:
    user = User.objects.filter(email=person.email).first()
    if user is None:
        password = person.password.reveal() if person.password else None
        user = User.objects.create_user(person.email, password)
        changes.tell(f"user {person.email}", "created")
    elif person.password and not user.check_password(person.password.reveal()):
        user.set_password(person.password.reveal())
        user.save(update_fields=["password"])
        changes.tell(f"user {person.email}", "password changed")
    return user


def _role(tenant: Tenant, user: User, role: str, changes: Changes) -> None:
    membership = Membership.objects.filter(tenant=tenant, user=user).first()
    if membership is None:
        Membership.objects.create(tenant=tenant, user=user, role=role)
        changes.tell(f"user {user.email}", f"{role} of {tenant.slug}")
    elif membership.role != role:
        changes.tell(f"user {user.email}", f"role {membership.role} → {role}")
        membership.role = role
        membership.save(update_fields=["role"])
