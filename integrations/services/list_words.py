"""PURE: what a link between an audience and a list will do, in sentences."""

from dataclasses import dataclass

from integrations.gateway.values import RemoteList
from portal import wording


@dataclass(frozen=True)
class Plan:
    """What was chosen. `there` is the list as it is now; None for a new one, or where it cannot be read."""

    audience: str
    members: int
    name: str
    destination: str
    is_new: bool = False
    remove_leavers: bool = True
    is_paused: bool = False
    there: RemoteList | None = None


def sentence(plan: Plan) -> str:
    """What the link does, in one sentence."""
    whom = f"{plan.audience} ({plan.members:,})"
    leavers = "leavers are removed" if plan.remove_leavers else "leavers stay on it"
    if plan.is_new:
        return f"{whom} becomes the new list {plan.name}; {leavers}."
    return f"{whom} joins {plan.name}; {leavers}; {_already(plan.there)}."


def _already(there: RemoteList | None) -> str:
    if there is None or there.people is None:
        return "people already there stay"
    if not there.people:
        return "nobody is on it yet"
    stay = "stays" if there.people == 1 else "stay"
    return f"{wording.counted(there.people, 'person', 'people')} already there {stay}"


def notes(plan: Plan) -> list[str]:
    """What else a person should know before linking."""
    found = []
    if plan.there and plan.there.opt_in == "double":
        found.append(
            f"{plan.name} has double opt-in: people are put on the list, but those who never confirmed get no e-mail."
        )
    if plan.is_new:
        found.append(
            f"Where {plan.destination} has a list of exactly this name by then, "
            "that one is used and no second one made."
        )
    else:
        found.append(
            f"Flows in {plan.destination} that start when somebody is added to this list "
            "start for everybody who joins it."
        )
    found.append("Nobody’s consent is changed: who may not receive e-mail gets none by being on a list.")
    if plan.is_paused:
        found.append("It is paused at first: nobody joins until you resume it.")
    return found
