"""Real members as examples: what we would send of them, and what each policy would leave there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, QuerySet

from integrations.models import Extension, SentProfile
from integrations.planning import desired, merge
from integrations.services import connections
from loyalty import fields
from loyalty.models import Member
from portal import wording
from portal.tenancy.models import Tenant

PEOPLE = 5  # one call reads them all
LOOK_AT = 200  # the liveliest of so many newest members is the example

POLICY_WORDS = {
    "overwrite": "Ours always wins",
    "fill_empty": "Fill only when empty",
    "keep_theirs": "Keep theirs",
    "max": "The larger value wins",
}


@dataclass(frozen=True)
class Sample:
    """One member: our value, theirs as just read, and in words what each policy would leave there.

    `outcomes` has a policy in words with each; without a reading it is empty.
    """

    name: str
    ours: Any
    theirs: Any = None
    outcomes: Sequence[tuple[str, str]] = ()
    is_there: bool = True


def lively(tenant: Tenant) -> QuerySet[Member]:
    """Members to show as examples, the most recently active of the newest first."""
    newest = Member.objects.for_tenant(tenant).filter(state="member").order_by("-pk").values("pk")[:LOOK_AT]
    return Member.objects.filter(pk__in=newest).order_by(
        F("last_activity_at").desc(nulls_last=True), "-points_lifetime", "-pk"
    )


def one_document(extension: Extension) -> tuple[str, dict[str, Any]]:
    """Name and document of one member, as this connection would send it; empty where there is nobody."""
    member = lively(extension.tenant).annotate(_document=desired.document(extension)).first()
    return (name_of(member), member._document) if member else ("", {})


def ours(tenant: Tenant, field: str, people: int = 3) -> list[Sample]:
    """The field's value of some members; no call."""
    found = lively(tenant).annotate(_told=fields.document({"it": field}))[:people]
    return [Sample(name_of(member), member._told["it"]) for member in found]


def arrived(extension: Extension) -> set[str]:
    """The properties that the newest profiles have of us."""
    newest = SentProfile.objects.filter(extension=extension, payload__isnull=False).order_by("-member_id")
    found = newest.values_list("payload__properties", flat=True)[:LOOK_AT]
    return {name for properties in found for name in properties or {}}


def compared(extension: Extension) -> list[tuple[str, str, bool]]:
    """The policies to compare, each with its words and whether it is the connection's own."""
    usual = merge.Policies(extension.merge_policy).of(".")
    return [(key, words, key == usual) for key, words in POLICY_WORDS.items()]


def read(extension: Extension, field: str, name: str) -> list[Sample]:
    """Up to five members that are there, with the property as it is there now. One call.

    Raises DestinationError.
    """
    sent = {
        row.remote_id: row
        for row in SentProfile.objects.filter(extension=extension)
        .exclude(remote_id="")
        .select_related("member")
        .order_by("-member_id")[:PEOPLE]
    }
    if not sent:
        return []
    found = connections.open_channel(extension).read_profiles("remote_id", list(sent))
    theirs = {profile.remote_id: profile.properties.get(name) for profile in found}
    ids = [row.member_id for row in sent.values()]
    told = fields.document({"it": field})
    ours = dict(Member.objects.filter(pk__in=ids).annotate(_told=told).values_list("pk", "_told"))
    return [
        _sample(extension, name, row, ours[row.member_id]["it"], theirs.get(pk), pk in theirs)
        for pk, row in sent.items()
    ]


def _sample(
    extension: Extension, name: str, row: SentProfile, ours: Any, theirs: Any, is_there: bool
) -> Sample:
    if not is_there:
        return Sample(name_of(row.member), ours, is_there=False)
    outcomes = [
        (words, outcome(extension.merge_policy, policy, row, name, ours, theirs))
        for policy, words, _ in compared(extension)
    ]
    return Sample(name_of(row.member), ours, theirs, outcomes)


def outcome(default: str, policy: str, row: SentProfile, name: str, ours: Any, theirs: Any) -> str:
    """What sending our value now would do there, by the code that sends it."""
    key = f".{name}"
    policies = merge.Policies(default, {name: policy})
    decision = merge.decide(
        {} if ours is None else {key: ours}, _known(row, key, theirs), policies, force=True
    )
    write = decision.write
    if decision.is_skipped:
        return "stays as it is: the profile was there before us"
    if name in write.properties and not merge.same(theirs, ours):
        shown = wording.value(ours)
        return (
            f"fills in {shown}"
            if theirs in (None, "", [])
            else f"overwrites {wording.value(theirs)} → {shown}"
        )
    if name in write.unset and theirs is not None:
        return f"takes {wording.value(theirs)} away"
    return "no change" if merge.same(theirs, ours) else f"stays {wording.value(theirs)}"


def _known(row: SentProfile, key: str, theirs: Any) -> merge.Known:
    flat = merge.flatten(row.payload or {})
    return merge.Known(
        payload={key: flat[key]} if key in flat else {},
        kept={key: row.kept[key]} if row.kept and key in row.kept else {},
        theirs={} if theirs is None else {key: theirs},
        exists=True,
        created_by_us=row.created_by_us,
    )


def name_of(member: Member) -> str:
    return f"{member.first_name} {member.last_name}".strip() or member.external_id


def policy_words(extension: Extension, name: str, policy: str) -> str:
    """Who wins for one property, for people."""
    if policy:
        return POLICY_WORDS[policy]
    usual = POLICY_WORDS[merge.Policies(extension.merge_policy).of(f".{name}")]
    return f"{usual}, on profiles that we made" if extension.merge_policy == "skip_existing" else usual
