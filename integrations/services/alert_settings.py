"""Keeping what a tenant wants to be told, and trying it out."""

import json
import secrets
from smtplib import SMTPException
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import send_mail

from integrations.models import AlertSettings
from portal.runtime import outgoing
from portal.tenancy.models import Membership, Role, Tenant
from portal.wording import listed


def of(tenant: Tenant) -> AlertSettings:
    """The stored settings, or unsaved defaults."""
    return AlertSettings.objects.filter(tenant=tenant).first() or AlertSettings(tenant=tenant)


def save(wanted: AlertSettings, emails: list[str], *, new_secret: bool = False) -> str:
    """Store them; returns the signing secret of the webhook where one was made now, else "".

    The secret is shown to the person once and is kept encrypted.
    """
    wanted.emails = emails
    made = ""
    if wanted.webhook_url and (new_secret or not wanted.webhook_secret):
        made = "whsec_" + secrets.token_urlsafe(32)
        wanted.webhook_secret = made
    if not wanted.webhook_url:
        wanted.webhook_secret = None
    wanted.save()
    return made


def outline(url: str) -> str:
    """For the history of settings, which viewers read: some receivers know their caller by the path alone."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/…" if parts.netloc else url


def emails(wanted: AlertSettings) -> list[str]:
    """The addresses that are told; without any of its own, those of the tenant's owners."""
    owners = Membership.objects.filter(tenant=wanted.tenant_id, role=Role.OWNER, user__is_active=True)
    return list(wanted.emails) or list(owners.values_list("user__email", flat=True))


def send_test(tenant: Tenant) -> list[str]:
    """Send a test to every address; returns a sentence for each that failed."""
    wanted = of(tenant)
    failed = []
    to = emails(wanted)
    try:
        body = f"This is a test. Alerts of {tenant.name} come to this address.\n\n{settings.PORTAL_URL}\n"
        subject = " ".join(f"Test: alerts of {tenant.name}".split())  # no line break makes a header
        send_mail(subject, body, settings.DEFAULT_FROM_EMAIL, to)
    except (OSError, SMTPException) as error:
        failed.append(f"The e-mail to {listed(to)} could not be sent: {error}")
    if wanted.webhook_url and wanted.webhook_secret:
        failed += _test_webhook(tenant, wanted)
    return failed


def _test_webhook(tenant: Tenant, wanted: AlertSettings) -> list[str]:
    told = {"id": f"test-{secrets.token_hex(8)}", "type": "test", "tenant": tenant.slug}
    secret = wanted.webhook_secret
    assert secret is not None
    try:
        status = outgoing.post(
            wanted.webhook_url, json.dumps(told).encode(), secret=secret.reveal(), uid=told["id"]
        )
    except (OSError, outgoing.AddressRefused) as error:
        return [f"The webhook could not be called: {error}"]
    return [] if 200 <= status < 300 else [f"The webhook answered {status}."]
