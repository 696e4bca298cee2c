"""From the members of a batch to rows and writes: the state of now, under the merge policy.

What is there is read only where the policy needs it, a hundred people a call, and kept at each member, so
that a batch that is interrupted does not read twice.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils import timezone

from integrations.gateway import registry
from integrations.gateway.port import Channel
from integrations.gateway.values import ProfileWrite, RemoteProfile
from integrations.models import AudienceMapping, Extension, SentProfile, SyncBatch
from integrations.planning import desired, leaving, merge
from integrations.planning.manifest import Row
from integrations.services import claims


@dataclass
class Composed:
    """One member of a batch: its row, and the write unless the row has its verdict already."""

    row: Row
    write: ProfileWrite | None = None


@dataclass(frozen=True)
class _Member:
    pk: int
    document: dict[str, Any]
    hold: str
    sent: SentProfile
    payload: dict[str, Any] | None  # what was sent, without the properties that are left there

    @property
    def flat(self) -> merge.Flat:
        return merge.flatten(self.document)


def policies_of(extension: Extension) -> merge.Policies:
    """The policies of now; a property that is mapped again is not being cleared."""
    mapped = {row.property: row.policy for row in extension.field_mappings.all()}
    retired = {
        name: policy for name, policy in leaving.last_policies(extension).items() if name not in mapped
    }
    exceptions = {name: policy for name, policy in (mapped | retired).items() if policy}
    return merge.Policies(extension.merge_policy, exceptions, frozenset(retired))


def compose(batch: SyncBatch, channel: Channel, *, joins_lists: bool) -> list[Composed]:
    """Rows and writes for the batch's members, in the order of its ids; erased members are left out.

    Makes no call unless a policy needs what is there. Raises DestinationError and claims.Lost.
    """
    extension = batch.extension
    policies = policies_of(extension)
    force = batch.run.force
    members = _load(extension, batch.member_ids)
    known = {member.pk: _known(member) for member in members}
    unread = [
        member
        for member in members
        if not member.hold and merge.needs_reading(member.flat, known[member.pk], policies, force=force)
    ]
    known.update(_read(batch, channel, unread, known))
    lists = ", ".join(_list_names(batch)) if joins_lists else ""
    return [_compose_one(member, known[member.pk], policies, force, lists) for member in members]


def _list_names(batch: SyncBatch) -> list[str]:
    """The lists that the batch's members join along the way, for people who read its rows."""
    mappings = AudienceMapping.objects.filter(pk__in=batch.mapping_ids, problem="").order_by("list_name")
    return list(mappings.values_list("list_name", flat=True))


def _load(extension: Extension, ids: Sequence[int]) -> list[_Member]:
    sent = {row.member_id: row for row in SentProfile.objects.filter(extension=extension, member_id__in=ids)}
    known = desired.of(extension, ids)
    names = leaving.counted_names(extension)
    found = {
        pk: _Member(pk, *known[pk], row, leaving.counted(row.payload, names) if row.payload else row.payload)
        for pk, row in sent.items()
        if pk in known
    }
    return [found[pk] for pk in ids if pk in found]


def _known(member: _Member) -> merge.Known:
    return merge.Known(
        payload=None if member.payload is None else merge.flatten(member.payload),
        kept=member.sent.kept or {},
        created_by_us=member.sent.created_by_us,
    )


def _compose_one(
    member: _Member, known: merge.Known, policies: merge.Policies, force: bool, lists: str
) -> Composed:
    row = Row(member_id=member.pk, document=member.document, remote_id=member.sent.remote_id)
    row.email, row.phone = str(member.document.get("email", "")), str(member.document.get("phone", ""))
    row.external_id = str(member.document.get("external_id", ""))
    if member.hold:
        row.hold(member.hold, desired.HOLD_WORDS[member.hold])
        return Composed(row)
    is_same = _is_unchanged(member) and not force
    if is_same and not lists:
        row.verdict, row.keeps_payload = "unchanged", True
        return Composed(row)
    decision = merge.decide(
        member.flat, known, policies, remote_id=member.sent.remote_id, force=force, identifiers_only=is_same
    )
    row.keeps_payload = is_same or decision.is_skipped
    row.created_by_us = _created_by_us(known, decision)
    if decision.is_skipped and not lists:
        row.hold(desired.EXISTING_PROFILE, desired.HOLD_WORDS[desired.EXISTING_PROFILE])
        return Composed(row)
    row.kept = decision.kept or None
    if not (lists or force) and _clears_nothing(member, known, policies, decision):
        row.verdict = "unchanged"
        return Composed(row)
    row.changes = decision.changes or None
    row.action = _action(member, known, decision)
    row.what = lists[:200]
    return Composed(row, decision.write)


def _is_unchanged(member: _Member) -> bool:
    return member.payload is not None and merge.same(member.payload, member.document)


def _clears_nothing(
    member: _Member, known: merge.Known, policies: merge.Policies, decision: merge.Decision
) -> bool:
    """Nothing differs but properties that are being cleared, and there is nothing of ours to take away."""
    old, new = known.payload, member.flat
    if old is None or decision.write.unset:
        return False
    return all(
        policies.clears(key) or merge.same(old.get(key), new.get(key)) for key in old.keys() | new.keys()
    )


def _created_by_us(known: merge.Known, decision: merge.Decision) -> bool | None:
    if known.exists is None:
        return None
    return not known.exists


def _action(member: _Member, known: merge.Known, decision: merge.Decision) -> str:
    if _is_unchanged(member):
        return "joined"
    if member.payload is None and known.exists is not True:
        return "created"
    write = decision.write
    only_clears = (write.clear or write.unset) and all(
        after is None for _, after in decision.changes.values()
    )
    return "cleared" if only_clears else "updated"


# Reading what is there ----------------------------------------------------------------------------


def _read(
    batch: SyncBatch, channel: Channel, members: Sequence[_Member], known: dict[int, merge.Known]
) -> dict[int, merge.Known]:
    """What the destination has of these members now; read earlier for this batch counts as now."""
    fresh = {
        member.pk: member.sent.theirs
        for member in members
        if member.sent.theirs_at and member.sent.theirs_at >= batch.created_at
    }
    size = registry.get(batch.extension.destination).limits.ids_per_read
    unread = [member for member in members if member.pk not in fresh]
    for start in range(0, len(unread), size):
        claims.renew(batch)
        part = unread[start : start + size]
        found = find_remote(channel, [(member.pk, member.document) for member in part])
        _store(batch.extension, part, found)
        fresh.update({member.pk: _theirs(found.get(member.pk)) for member in part})
    return {
        pk: replace(known[pk], theirs=(theirs or {}).get("values", {}), exists=bool(theirs))
        for pk, theirs in fresh.items()
    }


def find_remote(
    channel: Channel, documents: Iterable[tuple[int, dict[str, Any]]]
) -> dict[int, RemoteProfile]:
    """The remote profile of each member (at most ids_per_read), by external id, then e-mail, then phone."""
    waiting = dict(documents)
    found: dict[int, RemoteProfile] = {}
    for by in ("external_id", "email", "phone"):
        wanted = {
            str(document[by]): pk for pk, document in waiting.items() if document.get(by) and pk not in found
        }
        if not wanted:
            continue
        for profile in channel.read_profiles(by, list(wanted)):
            text = str(profile.values.get(by) or "")
            pk = wanted.get(text) or wanted.get(text.lower())
            if pk is not None and (by != "phone" or _may_be(profile, waiting[pk])):
                found.setdefault(pk, profile)
    return found


def _may_be(profile: RemoteProfile, document: dict[str, Any]) -> bool:
    """Two people may share a phone: a profile found by it alone must not name somebody else."""
    names = ((str(profile.values.get(key) or ""), key) for key in ("external_id", "email"))
    return all(not text or text.lower() == str(document.get(key) or "").lower() for text, key in names)


def _theirs(profile: RemoteProfile | None) -> dict[str, Any] | None:
    if profile is None:
        return None
    document = {**profile.values, "properties": dict(profile.properties)}
    return {"remote_id": profile.remote_id, "values": merge.flatten(document)}


def _store(extension: Extension, members: Sequence[_Member], found: dict[int, RemoteProfile]) -> None:
    now = timezone.now()
    for member in members:
        profile = found.get(member.pk)
        member.sent.theirs, member.sent.theirs_at = _theirs(profile), now
        if profile is not None:
            member.sent.remote_id = profile.remote_id
    SentProfile.objects.bulk_update([member.sent for member in members], ["theirs", "theirs_at", "remote_id"])
