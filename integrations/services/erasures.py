"""People who asked to be forgotten: told to every destination that may know them."""

import json
import logging
import random
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from integrations.errors import DestinationError, ProfileGone, RowsRejected
from integrations.models import Delivery, DeliveryState, Erasure, Extension, SentProfile
from integrations.planning import retries
from integrations.services import connections, lanes
from loyalty.models import Member

logger = logging.getLogger(__name__)

AFTER_FLIGHT = timedelta(minutes=15)  # an import job is over by then


def request(tenant_id: int, member_id: int) -> None:
    """Keep what names the person there, encrypted, until it is told. Inside the erasing transaction.

    Every connection is told that was ever sent this member; an inactive one when it is active again.
    """
    member = Member.objects.get(pk=member_id, tenant_id=tenant_id)
    known = {sent.extension_id: sent for sent in SentProfile.objects.filter(member=member)}
    for extension in Extension.objects.for_tenant(tenant_id):
        sent = known.get(extension.pk)
        names = {
            "remote_id": sent.remote_id if sent else "",
            "email": "" if member.email_malformed else member.email,
            "phone": "" if member.phone_malformed else member.phone,
        }
        was_sent = sent and (sent.sent_at or sent.remote_id or sent.in_flight)
        if any(names.values()) and (was_sent or _was_told(extension, member_id)):
            # What an import job there has accepted already would make the person anew: it goes first.
            later = timezone.now() + AFTER_FLIGHT if sent and sent.in_flight else None
            Erasure.objects.create(extension=extension, identifiers=json.dumps(names), not_before=later)


def _was_told(extension: Extension, member_id: int) -> bool:
    """An event makes the profile there, though we never wrote it."""
    deliveries = Delivery.objects.filter(extension=extension, member_id=member_id)
    return deliveries.filter(state__in=[DeliveryState.SENDING, DeliveryState.SENT]).exists()


def carry(extension: Extension) -> int:
    """Ask for every erasure that is due; return how many were asked for."""
    ready = Q(not_before=None) | Q(not_before__lte=timezone.now())
    done = 0
    for erasure in Erasure.objects.filter(ready, extension=extension, done_at=None).order_by("pk")[:50]:
        done += _carry_one(extension, erasure)
        if not lanes.is_workable(extension):
            break
    return done


def _carry_one(extension: Extension, erasure: Erasure) -> int:
    """Exactly one identifier a call; the surest that is known."""
    names = json.loads(erasure.identifiers.reveal()) if erasure.identifiers else {}
    by, value = next(((by, names[by]) for by in ("email", "remote_id", "phone") if names.get(by)), ("", ""))
    try:
        if by:
            connections.open_channel(extension).erase(by, value)
    except (ProfileGone, RowsRejected) as error:
        logger.info("erasure %s: nobody there (%s)", erasure.pk, error.code)
    except DestinationError as error:
        _later(extension, erasure, error)
        return 0
    erasure.done_at, erasure.identifiers = timezone.now(), None
    erasure.save(update_fields=["done_at", "identifiers"])
    return 1


def _later(extension: Extension, erasure: Erasure, error: DestinationError) -> None:
    """Never given up: a person's right does not end after some attempts."""
    retry = retries.decide(error, erasure.attempts + 1, settings.BATCH_ATTEMPTS, random.random())
    connections.attention(extension, error)
    erasure.attempts += 1
    seconds = retry.after if retry.after is not None else 3600.0
    erasure.not_before = timezone.now() + timedelta(seconds=max(seconds, 5.0))
    erasure.words = error.words[:500]
    erasure.save(update_fields=["attempts", "not_before", "words"])
