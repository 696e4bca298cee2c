"""What members allowed: an act is a row, and the newest of a channel holds."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from loyalty.rules.member_input import ConsentInput
from loyalty.services import audiences, rowset
from loyalty.services.locks import lock
from loyalty.services.marks import mark_dirty
from portal.tenancy.models import Tenant


@dataclass(frozen=True)
class ConsentAct:
    member_id: int
    consent: ConsentInput


# An act told without its time is one only if it changes what holds: a state that is told again is no news.
_INSERT = """
INSERT INTO loyalty_consentrecord (member_id, channel, status, source, text_version, given_at, recorded_at)
SELECT told.member_id, told.channel, told.status, told.source, told.text_version,
       coalesce(told.given_at, %(now)s), %(now)s
FROM unnest(%(members)s::bigint[], %(channels)s::text[], %(statuses)s::text[], %(sources)s::text[],
            %(versions)s::text[], %(times)s::timestamptz[])
     WITH ORDINALITY AS told(member_id, channel, status, source, text_version, given_at, place)
LEFT JOIN LATERAL (
    SELECT status FROM loyalty_consentrecord AS kept
    WHERE kept.member_id = told.member_id AND kept.channel = told.channel
    ORDER BY given_at DESC, id DESC LIMIT 1
) AS newest ON true
WHERE told.given_at IS NOT NULL OR newest.status IS DISTINCT FROM told.status
ORDER BY told.place
ON CONFLICT (member_id, channel, status, given_at) DO NOTHING
"""
_CACHE = """
UPDATE loyalty_member AS member
SET email_consent = newest.email, sms_consent = newest.sms, updated_at = %(now)s
FROM (
    SELECT member_id,
           coalesce(max(status) FILTER (WHERE channel = 'email'), '') AS email,
           coalesce(max(status) FILTER (WHERE channel = 'sms'), '') AS sms
    FROM (
        SELECT DISTINCT ON (member_id, channel) member_id, channel, status
        FROM loyalty_consentrecord WHERE member_id = ANY(%(members)s)
        ORDER BY member_id, channel, given_at DESC, id DESC
    ) AS acts GROUP BY member_id
) AS newest
WHERE member.id = newest.member_id
  AND (member.email_consent, member.sms_consent) IS DISTINCT FROM (newest.email, newest.sms)
RETURNING member.id
"""


def write(acts: Sequence[ConsentAct], *, source: str) -> set[int]:
    """Write the acts of members whom the caller has locked; return those whose consent changed by it."""
    if not acts:
        return set()
    told = [act.consent for act in acts]
    params = {
        "now": timezone.now(),
        "members": [act.member_id for act in acts],
        "channels": [consent.channel for consent in told],
        "statuses": [consent.status for consent in told],
        "sources": [consent.source or source for consent in told],
        "versions": [consent.text_version for consent in told],
        "times": [consent.given_at for consent in told],
    }
    rowset.execute(_INSERT, params)
    return {member_id for (member_id,) in rowset.execute(_CACHE, params)}


@transaction.atomic
def record(tenant: Tenant, acts: Sequence[ConsentAct], *, source: str) -> set[int]:
    """Record acts of this tenant's members, leaving out any others; return those whose consent changed."""
    present = set(lock([act.member_id for act in acts], tenant=tenant))
    changed = write([act for act in acts if act.member_id in present], source=source)
    audiences.follow(tenant, changed)
    mark_dirty(tenant.pk, changed)
    return changed
