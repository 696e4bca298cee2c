"""Invitations: made, sent again, taken back, accepted. The link's token is shown once and kept as a digest."""

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from portal.tenancy.models import Invitation, Membership, Role, Tenant, User
from portal.tenancy.team import TeamRefused

GOOD_FOR = timedelta(days=7)
OPEN_AT_MOST = 50
A_DAY_AT_MOST = 100  # invitations are mail to strangers, also those that were taken back at once
OVER = "This invitation was used, taken back or replaced, or it is older than seven days. Ask for a new one."


def waiting(tenant: Tenant) -> QuerySet[Invitation]:
    """Neither accepted nor taken back; those past `expires_at` too, so that they can be sent again."""
    return tenant.invitations.filter(accepted_at=None, revoked_at=None).select_related("invited_by")


@transaction.atomic
def make(tenant: Tenant, *, email: str, role: Role, by: User) -> tuple[Invitation, str]:
    """A new invitation and its link, which nobody can read again afterwards. Raises TeamRefused."""
    Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
    email = email.strip().lower()
    if Membership.objects.filter(tenant=tenant, user__email=email).exists():
        raise TeamRefused(f"{email} belongs to this team already. Change the role in the list instead.")
    waiting(tenant).filter(email=email, expires_at__lte=timezone.now()).update(revoked_at=timezone.now())
    if waiting(tenant).filter(email=email).exists():
        raise TeamRefused(
            f"{email} is invited already. Send the invitation again from the list, or take it back."
        )
    if waiting(tenant).count() >= OPEN_AT_MOST:
        raise TeamRefused(f"{OPEN_AT_MOST} invitations are open. Take back those that nobody will accept.")
    if tenant.invitations.filter(created_at__gt=timezone.now() - timedelta(days=1)).count() >= A_DAY_AT_MOST:
        raise TeamRefused(f"{A_DAY_AT_MOST} invitations were made within a day. Go on tomorrow.")
    text, digest = _token()
    made = Invitation.objects.create(
        tenant=tenant,
        email=email,
        role=role,
        digest=digest,
        invited_by=by,
        expires_at=timezone.now() + GOOD_FOR,
    )
    return made, link_of(text)


@transaction.atomic
def renew(invitation: Invitation) -> str:
    """A new link, good for seven days more; the one before ends. Raises TeamRefused when it is over."""
    present = Invitation.objects.select_for_update(of=("self",)).get(pk=invitation.pk)
    if present.accepted_at or present.revoked_at:
        raise TeamRefused("This invitation was accepted or taken back meanwhile.")
    text, present.digest = _token()
    present.expires_at = timezone.now() + GOOD_FOR
    present.save(update_fields=["digest", "expires_at"])
    return link_of(text)


@transaction.atomic
def revoke(invitation: Invitation) -> bool:
    """End it now. False if it had ended before."""
    present = Invitation.objects.select_for_update(of=("self",)).get(pk=invitation.pk)
    if present.accepted_at or present.revoked_at:
        return False
    present.revoked_at = timezone.now()
    present.save(update_fields=["revoked_at"])
    return True


def digest_of(text: str) -> str:
    """The stored form. A plain hash suffices: the text has 256 random bits."""
    return hashlib.sha256(text.encode()).hexdigest()


def find(digest: str) -> Invitation | None:
    """The invitation that may be accepted now."""
    return _usable().select_related("tenant", "invited_by").filter(digest=digest).first()


@transaction.atomic
def join(digest: str, user: User) -> Tenant:
    """Make the person who is signed in a member, and use the invitation up. Raises TeamRefused."""
    invitation = (
        _usable().select_for_update(of=("self",)).select_related("tenant").filter(digest=digest).first()
    )
    if invitation is None or invitation.email != user.email:
        raise TeamRefused(OVER)
    # Who was added by other hands meanwhile keeps the role they have.
    Membership.objects.get_or_create(tenant=invitation.tenant, user=user, defaults={"role": invitation.role})
    invitation.accepted_at = timezone.now()
    invitation.save(update_fields=["accepted_at"])
    return invitation.tenant


def sign_up(digest: str, *, first_name: str, last_name: str, password: str) -> tuple[User, Tenant]:
    """A new account for the invited address, in the team at once. Raises TeamRefused."""
    invitation = find(digest)
    if invitation is None:
        raise TeamRefused(OVER)
    try:
        with transaction.atomic():
            user = User.objects.create_user(
                invitation.email, password, first_name=first_name, last_name=last_name
            )
            return user, join(digest, user)
    except IntegrityError as error:
        raise TeamRefused("There is an account with this address now. Log in with it, then join.") from error


def link_of(text: str) -> str:
    return str(settings.PORTAL_URL) + reverse("invitation", args=[text])


def _usable() -> QuerySet[Invitation]:
    return Invitation.objects.filter(accepted_at=None, revoked_at=None, expires_at__gt=timezone.now())


def _token() -> tuple[str, str]:
    text = secrets.token_urlsafe(32)
    return text, digest_of(text)
