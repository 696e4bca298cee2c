"""Members: told from outside, found by support, forgotten on request."""

import logging
import re
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.module_loading import import_string

from loyalty.models import ErasedMember, Member
from loyalty.rules.member_input import MemberInput
from loyalty.rules.tombstones import digest
from loyalty.services.locks import lock
from loyalty.services.marks import mark_dirty, sharing
from loyalty.services.member_writing import Writing
from loyalty.services.results import ItemResult
from portal.tenancy.models import Tenant

logger = logging.getLogger(__name__)

__all__ = ["erase", "find", "mark_dirty", "upsert"]


def upsert(
    tenant: Tenant,
    items: Sequence[MemberInput],
    *,
    source: str,
    events: bool = True,
    history: bool = False,
) -> list[ItemResult]:
    """Create or change members to match; one result for each item, in their order. One transaction.

    Only what was given changes; a member who would stay as they are is not written. Items for one member
    count in their order. Nobody who was erased comes back. `source` says where this was heard (api, csv, …).
    `events` writes that people joined, with `history` as something that must start nothing.
    About 15 statements for any number of items, in lists of up to some thousands.
    """
    with transaction.atomic():
        writing = Writing(tenant, source=source, now=timezone.now())
        left = list(enumerate(items))
        while left:
            left = writing.work_through(left)
        writing.finish(events=events, history=history)
    return [writing.results[place] for place in range(len(items))]


@transaction.atomic
def erase(member: Member, *, by: str) -> None:
    """Forget a person, history and all, here and where it was sent; `by` is who asked for it, in the log.

    The digest of the external id stays: nothing is stored under it again. E-mail and phone are forgotten
    whole, so a person who comes back under a new id, by the merchant's own word, is a new member.
    """
    lock([member.pk], tenant=member.tenant)
    stone = digest(member.tenant_id, "external_id", member.external_id)
    ErasedMember.objects.get_or_create(tenant_id=member.tenant_id, digest=stone)
    known = Member.objects.values_list("email", "phone").get(pk=member.pk)
    twins = sharing(member.tenant_id, *({address} - {""} for address in known))
    mark_dirty(member.tenant_id, twins - {member.pk})
    import_string(settings.ERASE_TARGET)(member.tenant_id, member.pk)
    Member.objects.filter(pk=member.pk).delete()
    logger.info("erased %s of tenant %s, asked for by %s", stone[:12], member.tenant_id, by)


def find(tenants: Sequence[int], text: str) -> QuerySet[Member, Any]:
    """Keys of members whose e-mail, phone, first or last name begins so, or whose id it is in any case.

    The tenants are named because every index begins with them; the result is for `pk__in`.
    """
    text = text.replace("\0", "").strip()
    every = Member.objects.filter(tenant__in=tenants).values("pk")
    # Short looks, each into an index of its own; one question with OR would walk through all members. The
    # indexes of contacts and names are partial, so the question has to say that these are not empty.
    ways = [every.filter(external_id__iexact=text)]
    ways += [every.filter(email__gt="", email__startswith=text.lower())]
    digits = re.sub(r"[^\d+]", "", text)
    if len(digits) >= 4 and re.fullmatch(r"[\d\s()+./-]+", text):
        ways += [every.filter(phone__gt="", phone__startswith=digits)]
    first, _, last = text.partition(" ")
    given, family = every.filter(first_name__gt=""), every.filter(last_name__gt="")
    if len(text) > 1:
        ways += [given.filter(first_name__istartswith=text), family.filter(last_name__istartswith=text)]
    if first and last.strip():
        ways += [family.filter(last_name__istartswith=last.strip(), first_name__istartswith=first)]
    return ways[0].union(*ways[1:])
