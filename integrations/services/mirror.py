"""Lists: found or made, read once before the first member joins, and what is wrong with them.

Who was on a list before us is remembered as *found*: never removed by us, and not counted as ours.
"""

import logging
import time

from django.db import connection
from django.utils import timezone

from integrations.errors import ListGone
from integrations.gateway.port import Channel
from integrations.gateway.values import RemoteProfile
from integrations.models import AudienceMapping, Extension, SentMembership
from integrations.services import connections

logger = logging.getLogger(__name__)

READING_SECONDS = 15.0  # then the task ends and the next one goes on from the cursor


def prepare(extension: Extension) -> bool:
    """Make every mapped list ready; return False when there is more to read. Call while holding the lane.

    Raises DestinationError; what was read so far is kept.
    """
    waiting = extension.audience_mappings.filter(is_paused=False, ending_at=None, read_at=None, problem="")
    if not waiting.exists():
        return True
    channel = connections.open_channel(extension)
    deadline = time.monotonic() + READING_SECONDS
    for mapping in waiting.select_related("audience"):
        if not mapping.list_id:
            _find_or_make(channel, mapping)
        if mapping.list_id and mapping.read_at is None and not _read(channel, mapping, deadline):
            return False
    return True


def problems(extension: Extension) -> list[str]:
    """What a person must mend before these lists are true again."""
    return list(extension.audience_mappings.exclude(problem="").values_list("problem", flat=True))


def mark_gone(mapping: AudienceMapping) -> str:
    """The list was deleted there: its mapping waits for a person, who is told in these words.

    One that is being unlinked has nobody to take off any more.
    """
    words = f"The list “{mapping.list_name}” does not exist any more. Choose another list, or let it be made anew."
    AudienceMapping.objects.filter(pk=mapping.pk, ending_at=None).update(problem=words)
    SentMembership.objects.filter(
        mapping=mapping.pk, mapping__ending_at__isnull=False, in_flight=None
    ).delete()
    return words


def mark_refused(mapping: AudienceMapping, why: str) -> str:
    """The list is there and takes no change from us: its mapping waits for a person, who is told why."""
    words = f"The list “{mapping.list_name}” cannot be changed: {why} Choose another list, or mend it there."
    AudienceMapping.objects.filter(pk=mapping.pk).update(problem=words[:500])
    return words


def _find_or_make(channel: Channel, mapping: AudienceMapping) -> None:
    """By name first: names are not unique there, and a repeated creation would make a second list."""
    same = sorted(channel.lists(mapping.list_name), key=lambda found: found.remote_id)
    taken = set(mapping.extension.audience_mappings.exclude(pk=mapping.pk).values_list("list_id", flat=True))
    free = [found for found in same if found.remote_id not in taken]
    if len(free) > 1:
        mapping.problem = (
            f"There are {len(free)} lists called “{mapping.list_name}”. "
            "Rename or delete all but one, then save the mapping."
        )
    elif free:
        mapping.list_id = free[0].remote_id
    elif mapping.create_list:
        mapping.list_id = channel.create_list(mapping.list_name).remote_id
        mapping.read_at = timezone.now()  # it is empty: nobody was there before us
    else:
        mapping.problem = (
            f"There is no list called “{mapping.list_name}”. Make it there, or let the portal create it."
        )
    mapping.save(update_fields=["list_id", "problem", "read_at"])


def _read(channel: Channel, mapping: AudienceMapping, deadline: float) -> bool:
    """Read the list page by page and remember who is there; the cursor survives a restart."""
    while True:
        try:
            page = channel.list_page(mapping.list_id, mapping.read_cursor)
        except ListGone:
            mark_gone(mapping)
            return True
        _remember_found(mapping, page.profiles)
        mapping.read_cursor = page.next_cursor
        if not page.next_cursor:
            mapping.read_at = timezone.now()
        mapping.save(update_fields=["read_cursor", "read_at"])
        if not page.next_cursor:
            return True
        if time.monotonic() > deadline:
            return False


def _remember_found(mapping: AudienceMapping, profiles: tuple[RemoteProfile, ...]) -> None:
    """Match by external id, then e-mail, then phone; people who are not members concern nobody here."""
    texts: dict[str, list[str]] = {
        key: [str(profile.values.get(key) or "") for profile in profiles]
        for key in ("external_id", "email", "phone")
    }
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO integrations_sentmembership (mapping_id, member_id, origin, is_leaving, since)
            SELECT DISTINCT %s::bigint, m.id, 'found', false, now()
            FROM unnest(%s::text[], %s::text[], %s::text[]) AS there(external_id, email, phone)
            JOIN loyalty_member m ON m.tenant_id = %s AND (
                m.external_id = there.external_id
                OR (there.email <> '' AND m.email = lower(there.email) AND there.external_id = '')
                OR (there.phone <> '' AND m.phone = there.phone AND there.external_id = '' AND there.email = '')
            )
            ON CONFLICT (mapping_id, member_id) DO NOTHING
            """,
            [mapping.pk, texts["external_id"], texts["email"], texts["phone"], mapping.extension.tenant_id],
        )
