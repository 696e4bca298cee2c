"""People who asked to be forgotten: told to every destination that may know them.

The id that the destination gave comes first. An e-mail or phone counts only when the profile has it from
us and no other member has it: one who shares it, and keeps the profile, must not be erased along.
"""

import json
import logging
import random
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from integrations.errors import DestinationError, ProfileGone, RowsRejected
from integrations.gateway.port import Channel
from integrations.models import Delivery, DeliveryState, Erasure, Extension, SentProfile, SyncBatch
from integrations.models.runs import OPEN_BATCHES
from integrations.planning import retries
from integrations.services import connections, health, lanes
from loyalty.models import Member

logger = logging.getLogger(__name__)

AFTER_FLIGHT = timedelta(minutes=1)  # at the least, when something about the person was on its way
LOOK_AGAIN = timedelta(seconds=30)  # while it still is
AFTER_REFUSAL = timedelta(days=1)

Names = dict[str, list[str]]  # remote_id, email, phone, external_id → values


def request(tenant_id: int, member_id: int) -> None:
    """Keep what names the person there, encrypted, until it is told. Inside the erasing transaction.

    Every connection is told that was ever sent this member; an inactive one when it is active again.
    """
    member = Member.objects.get(pk=member_id, tenant_id=tenant_id)
    # Locked, so that no planner takes the member into a batch of which we would not know.
    locked = SentProfile.objects.select_for_update().filter(member=member).order_by("extension_id")
    known = {sent.extension_id: sent for sent in locked}
    for extension in Extension.objects.for_tenant(tenant_id):
        sent = known.get(extension.pk)
        told = _told(extension, member_id)
        if told or (sent and (sent.sent_at or sent.remote_id or sent.in_flight)):
            flights = {batch_id for batch_id in told.values() if batch_id}
            flights |= {sent.in_flight} if sent and sent.in_flight else set()
            # What is accepted there already, or leaves in this moment, would make the person anew.
            Erasure.objects.create(
                extension=extension,
                identifiers=json.dumps(_names(member, sent, is_newer=bool(told or flights))),
                batch_ids=sorted(flights) or None,
                not_before=timezone.now() + AFTER_FLIGHT if flights else None,
            )


def _told(extension: Extension, member_id: int) -> dict[int, int | None]:
    """Deliveries that arrived or are on their way, with their open batch: an event makes a profile too."""
    deliveries = Delivery.objects.filter(extension=extension, member_id=member_id)
    found = deliveries.filter(state__in=[DeliveryState.SENDING, DeliveryState.SENT])
    return {
        pk: batch_id if state == DeliveryState.SENDING else None
        for pk, state, batch_id in found.values_list("pk", "state", "batch_id")
    }


def _names(member: Member, sent: SentProfile | None, *, is_newer: bool) -> Names:
    """What the profile there answers to: as last sent, and as it is now when that may have been told since."""
    payload: dict[str, Any] = (sent.payload if sent else None) or {}
    names: Names = {"external_id": [member.external_id]}
    if sent and sent.remote_id:
        names["remote_id"] = [sent.remote_id]
    now = {
        "email": "" if member.email_malformed else member.email,
        "phone": "" if member.phone_malformed else member.phone,
    }
    for by, value in now.items():
        values = [str(payload.get(by) or ""), value if is_newer or not payload else ""]
        names[by] = sorted(set(values) - {""})
    return names


def carry(extension: Extension) -> int:
    """Ask for every erasure that is due; return how many were asked for."""
    ready = Q(not_before=None) | Q(not_before__lte=timezone.now())
    done = 0
    for erasure in Erasure.objects.filter(ready, extension=extension, done_at=None).order_by("pk")[:50]:
        if _is_in_flight(erasure):
            erasure.not_before = timezone.now() + LOOK_AGAIN
            erasure.save(update_fields=["not_before"])
            continue
        done += _carry_one(extension, erasure)
        if not lanes.is_workable(extension):
            break
    return done


def _is_in_flight(erasure: Erasure) -> bool:
    return SyncBatch.objects.filter(pk__in=erasure.batch_ids or (), state__in=OPEN_BATCHES).exists()


def _carry_one(extension: Extension, erasure: Erasure) -> int:
    names: Names = json.loads(erasure.identifiers.reveal()) if erasure.identifiers else {}
    try:
        refused = _ask(connections.open_channel(extension), extension, names) if names else None
    except DestinationError as error:
        _later(extension, erasure, error)
        return 0
    if refused:
        _refused(erasure, refused)
        return 1
    erasure.done_at, erasure.identifiers, erasure.words = timezone.now(), None, ""
    erasure.save(update_fields=["done_at", "identifiers", "words"])
    return 1


def _ask(channel: Channel, extension: Extension, names: Names) -> RowsRejected | None:
    """By the surest name that is taken; return the refusal when every one was refused."""
    shared = {by: _of_others(extension.tenant_id, by, names.get(by, [])) for by in ("email", "phone")}
    remote_ids = names.get("remote_id", [])
    if any(shared.values()):
        # The other member may have been given this profile since: it is ours only while it bears our id.
        found = channel.read_profiles("external_id", names["external_id"])
        remote_ids = [profile.remote_id for profile in found]
    refused, is_answered = None, False
    for by, values in (
        ("remote_id", remote_ids),
        ("email", names.get("email", [])),
        ("phone", names.get("phone", [])),
    ):
        is_asked = False
        for value in values:
            if value in shared.get(by, ()):
                continue
            try:
                channel.erase(by, value)
                is_asked = is_answered = True
            except ProfileGone:
                is_answered = True  # merged, perhaps: the next name may still find the person
            except RowsRejected as error:
                refused = error
        if is_asked:
            return None
    return None if is_answered else refused


def _of_others(tenant_id: int, by: str, values: list[str]) -> set[str]:
    """Those of the addresses that a living member has."""
    living = Member.objects.filter(**{"tenant_id": tenant_id, f"{by}__in": values, f"{by}__gt": ""})
    return set(living.values_list(by, flat=True))


def _refused(erasure: Erasure, error: RowsRejected) -> None:
    """Every name was refused: a person has to look, and it is tried again once a day."""
    logger.warning("erasure %s was refused: %s", erasure.pk, error.code)
    erasure.attempts += 1
    erasure.not_before = timezone.now() + AFTER_REFUSAL
    erasure.words = f"Refused: {error.words}"[:500]
    erasure.save(update_fields=["attempts", "not_before", "words"])


def _later(extension: Extension, erasure: Erasure, error: DestinationError) -> None:
    """Never given up: a person's right does not end after some attempts."""
    retry = retries.decide(error, erasure.attempts + 1, settings.BATCH_ATTEMPTS, random.random())
    health.attention(extension, error)
    erasure.attempts += 1
    seconds = retry.after if retry.after is not None else 3600.0
    erasure.not_before = timezone.now() + timedelta(seconds=max(seconds, 5.0))
    erasure.words = error.words[:500]
    erasure.save(update_fields=["attempts", "not_before", "words"])
