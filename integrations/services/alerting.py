"""The outbox of alerts: each message goes out once, is tried again when it could not, and says why it did not."""

import json
import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.db.models import F, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from integrations.models import AlertChannel, AlertMessage, Incident, IncidentKind
from integrations.services import incidents
from portal.runtime import outgoing

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 8
MOST_AT_ONCE = 200
SECONDS_AT_MOST = 30  # then the rest waits for the next minute: the queue kills a task after sixty
LEASE = timedelta(minutes=2)

_BAD = {
    IncidentKind.RUN_FAILED: "A run failed",
    IncidentKind.MANY_FAILED: "Many rows did not arrive",
    IncidentKind.NOTHING_ARRIVES: "Nothing arrives any more",
    IncidentKind.CONNECTION_LOST: "The connection is lost",
}
_GOOD = {
    IncidentKind.RUN_FAILED: "Runs succeed again",
    IncidentKind.MANY_FAILED: "Rows arrive again",
    IncidentKind.NOTHING_ARRIVES: "It arrives again",
    IncidentKind.CONNECTION_LOST: "The connection works again",
}


@dataclass(frozen=True)
class Text:
    """One message in words: for an e-mail as it is, for a webhook as parts."""

    subject: str
    body: str
    url: str


def watch() -> str:
    """Task, once a minute: look at all connections, then send what there is to tell."""
    looked = incidents.watch()
    return f"{looked}, {deliver()} sent"


def deliver(now: datetime | None = None) -> int:
    """Send every message that is due; returns how many went out. Two processes never send the same one."""
    now = now or timezone.now()
    due = AlertMessage.objects.filter(
        Q(not_before=None) | Q(not_before__lte=now), sent_at=None, given_up_at=None
    )
    chosen = list(due.order_by("pk").values_list("pk", flat=True)[:MOST_AT_ONCE])
    until = time.monotonic() + SECONDS_AT_MOST
    return sum(_deliver(pk, now) for pk in chosen if time.monotonic() < until)


def _deliver(pk: int, now: datetime) -> bool:
    free = AlertMessage.objects.filter(pk=pk, sent_at=None, given_up_at=None)
    if not free.filter(Q(lease_until=None) | Q(lease_until__lt=now)).update(
        lease_until=now + LEASE, attempts=F("attempts") + 1
    ):
        return False
    message = _with_all_it_tells().get(pk=pk)
    try:
        if message.attempts > MOST_ATTEMPTS:
            raise outgoing.AddressRefused("Sending it never came to an end.")
        send(message)
    except (OSError, SMTPException, outgoing.AddressRefused) as error:
        _put_off(message, str(error), now, is_over=isinstance(error, outgoing.AddressRefused))
        return False
    except Exception as error:  # what one message trips over must not hold up those of other tenants
        logger.exception("alert %s trips over itself", pk)
        _put_off(message, f"The portal could not send this message ({type(error).__name__}).", now)
        return False
    AlertMessage.objects.filter(pk=pk).update(sent_at=timezone.now(), lease_until=None, words="")
    return True


def _with_all_it_tells() -> QuerySet[AlertMessage]:
    """Without the connection's secrets; that of the webhook is read where a webhook is called."""
    found = AlertMessage.objects.select_related("incident__extension__tenant__alert_settings")
    extension = "incident__extension"
    return found.defer(
        f"{extension}__secret",
        f"{extension}__refresh_token",
        f"{extension}__tenant__alert_settings__webhook_secret",
    )


def _put_off(message: AlertMessage, why: str, now: datetime, *, is_over: bool = False) -> None:
    """Again in 1, 2, 4 … minutes; after the last attempt it stays, with its reason, on the page of alerts."""
    is_over = is_over or message.attempts >= MOST_ATTEMPTS
    AlertMessage.objects.filter(pk=message.pk).update(
        words=why[:500],
        lease_until=None,
        not_before=now + timedelta(minutes=2 ** (message.attempts - 1)),
        given_up_at=now if is_over else None,
    )
    logger.warning("alert %s could not be sent (attempt %s): %s", message.pk, message.attempts, why)


def send(message: AlertMessage) -> None:
    """Send one message now. Raises OSError, SMTPException or AddressRefused."""
    text = words(message.incident, is_recovery=message.is_recovery)
    if message.channel == AlertChannel.EMAIL:
        subject = " ".join(text.subject.split())  # a name with a line break would be a header of its own
        send_mail(subject, text.body, settings.DEFAULT_FROM_EMAIL, [message.target])
        return
    secret = incidents.wanted_by(message.incident.extension).webhook_secret
    if not secret:
        raise outgoing.AddressRefused("The webhook has no signing secret any more. Save its address again.")
    body = json.dumps(_payload(message, text), separators=(",", ":")).encode()
    status = outgoing.post(message.target, body, secret=secret.reveal(), uid=str(message.uid))
    if not 200 <= status < 300:
        raise OSError(f"The webhook answered {status}.")


def _payload(message: AlertMessage, text: Text) -> dict[str, Any]:
    """What a webhook gets: stable keys, no personal data."""
    incident = message.incident
    return {
        "id": str(message.uid),
        "type": "recovered" if message.is_recovery else incident.kind,
        "incident": incident.pk,
        "kind": incident.kind,
        "tenant": incident.extension.tenant.slug,
        "connection": incident.extension.name,
        "run": incident.run_id,
        "text": incident.words,
        "subject": text.subject,
        "url": text.url,
        "opened_at": incident.opened_at.isoformat(timespec="seconds"),
        "closed_at": incident.closed_at and incident.closed_at.isoformat(timespec="seconds"),
    }


def words(incident: Incident, *, is_recovery: bool) -> Text:
    """What is told: what happened, what is safe, what to do next."""
    extension = incident.extension
    tenant = extension.tenant
    kind = IncidentKind(incident.kind)
    url = settings.PORTAL_URL + _place(incident)
    if is_recovery:
        since = timezone.localtime(incident.opened_at, tenant.zone)
        body = (
            f"{extension.name} of {tenant.name} is well again.\n\n"
            f"What was wrong since {since:%-d %B, %H:%M} ({tenant.timezone}): {incident.words}\n\n"
            f"What waited is sent by itself. You need not do anything.\n\n{url}\n"
        )
        return Text(f"{_GOOD[kind]}: {tenant.name}", body, url)
    body = (
        f"{incident.words}\n\n"
        f"Connection: {extension.name} of {tenant.name}.\n"
        "Nothing is lost: what could not be sent waits, or stands with its reason on the page.\n\n"
        f"See it and mend it: {url}\n\n"
        "You are told once, and again when it is right. Who is told: the Alerts page of the portal's settings.\n"
    )
    return Text(f"{_BAD[kind]}: {tenant.name}", body, url)


def _place(incident: Incident) -> str:
    slug = incident.extension.tenant.slug
    if incident.kind == IncidentKind.CONNECTION_LOST:
        return reverse("integration", args=[slug, incident.extension_id])
    if incident.run_id:
        return reverse("run", args=[slug, incident.run_id])
    return reverse("overview", args=[slug])
