"""What a link that is being chosen would do: the choice on a form, with what the destination knows of the list."""

from collections.abc import Mapping
from dataclasses import dataclass

from integrations.errors import ListGone
from integrations.gateway.values import RemoteList
from integrations.models import Extension
from integrations.services import list_choices, list_links, list_words, run_history
from integrations.services.list_words import Plan
from loyalty.models import Audience, AudienceMember


@dataclass(frozen=True)
class Told:
    """The sentence with its notes; `refusal` in place of both where it cannot be."""

    sentence: str = ""
    notes: tuple[str, ...] = ()
    refusal: str = ""


def plan(extension: Extension, audience: Audience, given: Mapping[str, str]) -> Plan | Told | None:
    """The plan of what is chosen, or why it cannot be; None while something is missing."""
    is_new = given.get("to") == "new"
    list_id = "" if is_new else given.get("list_id", "")
    name = given.get("name", "").strip() if is_new else _name(extension, list_id)
    if not name:
        return None
    if words := list_links.clash(extension, audience, name=name, list_id=list_id):
        return Told(refusal=words)
    try:
        there: RemoteList | None = list_choices.details(extension, list_id) if list_id else None
    except ListGone:
        return Told(refusal="This list is not there any more. Refresh the lists and choose another.")
    return Plan(
        audience=audience.name,
        members=AudienceMember.objects.filter(audience=audience, left_at=None).count(),
        name=name,
        destination=run_history.destination_name(extension),
        is_new=is_new,
        remove_leavers=bool(given.get("remove_leavers")),
        is_paused=bool(given.get("is_paused")),
        there=there,
    )


def told(found: Plan | Told) -> Told:
    if isinstance(found, Told):
        return found
    return Told(list_words.sentence(found), tuple(list_words.notes(found)))


def _name(extension: Extension, list_id: str) -> str:
    """The chosen list's name, from what was read a moment ago."""
    there = (list_choices.known(extension) or list_choices.Choices()).find(list_id) if list_id else None
    return there.name if there else ""
