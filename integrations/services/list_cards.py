"""What pages show of audiences' lists: the state in words, who is on them as far as we know, the link there."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from integrations.gateway import registry
from integrations.models import AudienceMapping, SentMembership
from integrations.models.sent import Origin
from integrations.services import list_links, run_history
from portal import wording
from portal.tenancy.models import Tenant


@dataclass(frozen=True)
class State:
    """`look` is a state that badges know, `label` its word, `words` what a person should know of it."""

    look: str
    label: str
    words: str = ""


@dataclass(frozen=True)
class Card:
    """One mapping as pages draw it; `added` and `found` are who is on the list as far as we know."""

    mapping: AudienceMapping
    name: str  # of the destination
    url: str
    state: State
    added: int
    found: int

    @property
    def on_list(self) -> int:
        return self.added + self.found

    @property
    def counted(self) -> dict[str, Any] | None:
        """What was counted at the destination itself; None before anybody asked."""
        return self.mapping.numbers if self.mapping.numbers_at else None

    @property
    def counted_words(self) -> str:
        """How far the count went, where the list is longer than what is read in one go."""
        counted = self.counted or {}
        looked_at, on_list = counted.get("looked_at", 0), counted.get("on_list", 0)
        if looked_at >= on_list:
            return ""
        return f"Of the first {looked_at:,} of {on_list:,} people: the list is too long to be read in one go."


def of_tenant(tenant: Tenant) -> dict[int, list[Card]]:
    """By audience's id; two queries however many there are."""
    mappings = mappings_of(tenant)
    found = defaultdict(list)
    for card in cards(list(mappings)):
        found[card.mapping.audience_id].append(card)
    return dict(found)


def mappings_of(tenant: Tenant) -> Any:
    """The tenant's mappings with their audience and connection, without its secrets."""
    return (
        AudienceMapping.objects.filter(extension__tenant=tenant, audience__tenant=tenant)
        .select_related("extension", "audience")
        .defer("extension__secret", "extension__refresh_token")
    )


def cards(mappings: Sequence[AudienceMapping]) -> list[Card]:
    known = _known(mapping.pk for mapping in mappings)
    return [_card(mapping, known) for mapping in mappings]


def _known(ids: Iterable[int]) -> dict[tuple[int, str], int]:
    there = Q(in_flight=None) | Q(is_leaving=True)
    rows = SentMembership.objects.filter(there, mapping__in=list(ids)).values("mapping", "origin")
    return {(row["mapping"], row["origin"]): row["people"] for row in rows.annotate(people=Count("pk"))}


def _card(mapping: AudienceMapping, known: dict[tuple[int, str], int]) -> Card:
    extension = mapping.extension
    destination = registry.destinations().get(extension.destination)
    base_url = extension.base_url or (destination.default_base_url() if destination else "")
    added = known.get((mapping.pk, Origin.ADDED), 0)
    return Card(
        mapping=mapping,
        name=run_history.destination_name(extension),
        url=destination.list_url(base_url, mapping.list_id) if destination and mapping.list_id else "",
        state=state(mapping, added),
        added=added,
        found=known.get((mapping.pk, Origin.FOUND), 0),
    )


def state(mapping: AudienceMapping, added: int) -> State:
    """The first that applies; each says what happens next where that is not plain."""
    extension = mapping.extension
    is_off = not extension.is_active
    if mapping.problem:
        return State("attention", "Needs attention", mapping.problem)
    if mapping.ending_at:
        return State("busy", "Being unlinked", _ending(mapping, added, is_off))
    if mapping.is_paused:
        return State("held", "Paused", "Nobody joins or leaves the list until you resume it.")
    if is_off:
        return State(
            "off", "Waits", f"{extension.name} is not sending now. It is filled once that is switched on."
        )
    if mapping.read_at is None:
        return State("open", "Not yet sent", "It is filled with the next run.")
    return State("ok", "Mirrored")


def _ending(mapping: AudienceMapping, added: int, is_off: bool) -> str:
    total = max((mapping.numbers or {}).get(list_links.REMOVING, added), added)
    whom = f"{added:,} of {wording.counted(total, 'person', 'people')} whom we added"
    words = f"{whom} {'is' if added == 1 else 'are'} still on the list."
    return f"{words} It goes on when {mapping.extension.name} is switched on." if is_off else words
