"""The lists of one connection as one member sees them: should they be on it, do we think they are, why."""

from dataclasses import dataclass

from integrations.models import AudienceMapping, SentMembership
from integrations.models.sent import Origin
from integrations.services import addresses
from integrations.services.member_standing import Standing
from loyalty.models import AudienceMember


@dataclass(frozen=True)
class ListLine:
    """`stay` is the member's place in the audience now, `place` what we know of the list; None: not in it."""

    mapping: AudienceMapping
    stay: AudienceMember | None
    place: SentMembership | None
    look: str
    words: str
    url: str

    @property
    def should_be(self) -> bool:
        return self.stay is not None

    @property
    def keeps_away(self) -> bool:
        """Whether a mail that goes to this list will miss the member."""
        return self.should_be and self.look != "good"


def lines(standing: Standing) -> list[ListLine]:
    """One line for each list of the connection; three queries."""
    member, extension = standing.member, standing.extension
    mappings = list(AudienceMapping.objects.filter(extension=extension).select_related("audience"))
    stays = {stay.audience_id: stay for stay in AudienceMember.objects.filter(member=member, left_at=None)}
    places = {
        place.mapping_id: place
        for place in SentMembership.objects.filter(member=member, mapping__extension=extension)
    }
    return [
        _line(standing, mapping, stays.get(mapping.audience_id), places.get(mapping.pk))
        for mapping in mappings
    ]


def _line(
    standing: Standing,
    mapping: AudienceMapping,
    stay: AudienceMember | None,
    place: SentMembership | None,
) -> ListLine:
    look, words = _inside(standing, mapping, place) if stay else _outside(mapping, place)
    return ListLine(
        mapping, stay, place, look, words, addresses.remote_list(standing.extension, mapping.list_id)
    )


def _inside(standing: Standing, mapping: AudienceMapping, place: SentMembership | None) -> tuple[str, str]:
    if place and place.in_flight is None:
        return (
            "good",
            "On the list, put there by us" if place.origin == Origin.ADDED else "On the list before us",
        )
    if mapping.problem:
        return "bad", f"Not on the list: {mapping.problem}"
    if mapping.is_paused:
        return "held", "Not on the list: this link is paused"
    if place:
        return "busy", "Joining now"
    if standing.hold:
        return "held", "Not on the list: the member is held back"
    if not mapping.read_at:
        return "busy", "Waits: the list is looked at first"
    return "busy", "Waits to join"


def _outside(mapping: AudienceMapping, place: SentMembership | None) -> tuple[str, str]:
    if place is None:
        return "quiet", "Not on the list, as it should be"
    if place.origin == Origin.FOUND:
        return "quiet", "On the list before us, so it stays"
    if place.in_flight:
        return "busy", "Leaving now"
    if mapping.is_paused or mapping.problem:
        return "held", "Still on the list: " + (mapping.problem or "this link is paused")
    if not mapping.remove_leavers:
        return "quiet", "Stays on the list: this link keeps leavers"
    return "busy", "Waits to be taken off"
