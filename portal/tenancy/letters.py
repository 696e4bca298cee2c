"""E-mails to people of the portal. A letter that cannot be sent is a fact to show, never a crash."""

import logging
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string

from portal.tenancy.models import Invitation, User

logger = logging.getLogger(__name__)


def are_printed() -> bool:
    """Whether mails go to the log of this portal instead of to people, as in the demo."""
    return settings.EMAIL_BACKEND.endswith("console.EmailBackend")


def send_invitation(invitation: Invitation, link: str) -> bool:
    """False when the mail could not be handed over."""
    words = {"invitation": invitation, "link": link}
    subject = f"Join {invitation.tenant.name} on the loyalty portal"
    return _send(invitation.email, subject, render_to_string("tenancy/invitation_email.txt", words))


def ask_new_address(user: User, new: str, link: str) -> bool:
    """Somebody wants to sign in with the address `new`: whoever reads it says yes by the link."""
    words = render_to_string("tenancy/new_address.txt", {"user": user, "link": link})
    return _send(new, "Is this your address?", words)


def tell_old_address(user: User, old: str) -> bool:
    """The address by which somebody signs in has changed: the old one learns of it."""
    words = render_to_string("tenancy/email_changed.txt", {"user": user, "old": old})
    return _send(old, "Your sign-in address has changed", words)


def _send(to: str, subject: str, body: str) -> bool:
    subject = " ".join(subject.split())  # a name with a line break would be a header of its own
    try:
        return send_mail(subject, body, None, [to]) == 1
    except (OSError, SMTPException):
        logger.exception("A mail could not be sent.")
        return False
