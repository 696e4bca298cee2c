"""A new e-mail address for signing in: it counts when whoever reads it says so, by a link that is good for a day."""

from django.conf import settings
from django.core import signing
from django.db import IntegrityError, transaction
from django.urls import reverse

from portal.tenancy.models import User

SALT = "portal.new_address"
GOOD_FOR = 24 * 3600


class LinkOver(Exception):
    """The link is too old, was used, or is another person's; the text says what to do."""


def link(user: User, email: str) -> str:
    """The whole address to be sent to `email`. It names the present address, so that it is good once."""
    token = signing.dumps({"user": user.pk, "old": user.email, "new": email}, salt=SALT, compress=True)
    return f"{settings.PORTAL_URL}{reverse('profile_email_confirm', args=[token])}"


def read(user: User, token: str) -> str:
    """The new address that the link of this person proves. Raises LinkOver."""
    try:
        told = signing.loads(token, salt=SALT, max_age=GOOD_FOR)
    except signing.SignatureExpired as error:
        raise LinkOver("This link is older than a day. Ask for the change again.") from error
    except signing.BadSignature as error:
        raise LinkOver("This link is not whole. Open it from the e-mail itself.") from error
    if told["user"] != user.pk:
        raise LinkOver("This link is for another account. Log out, and log in with that one.")
    if told["old"] != user.email:
        raise LinkOver("This link was used already, or your address has changed since.")
    return str(told["new"])


def take(user: User, token: str) -> str:
    """Sign in with the new address from now on; returns the old one. Raises LinkOver."""
    new, old = read(user, token), user.email
    try:
        with transaction.atomic():
            moved = User.objects.filter(pk=user.pk, email=old).update(email=new)
    except IntegrityError as error:
        raise LinkOver("An account with this address exists meanwhile. Choose another one.") from error
    if not moved:
        raise LinkOver("This link was used already.")
    user.email = new
    return old
