"""PURE: how a connection stands, in a state, a sentence and what to do next."""

from dataclasses import dataclass
from enum import StrEnum

from integrations.models import Extension, Health, MergePolicy

# What each choice of the merge policy means for a profile that has a value already.
POLICIES: dict[str, str] = {
    MergePolicy.STANDARD: "Points, tiers and other loyalty properties are always ours. Names, phone and place "
    "are only filled in where they are empty.",
    MergePolicy.OVERWRITE: "Every value that we send replaces the one that is there, names and place too.",
    MergePolicy.FILL_EMPTY: "A value is written where there is none; what we wrote ourselves is kept up to date. "
    "What somebody else wrote there stays.",
    MergePolicy.KEEP_THEIRS: "A value is written only where there is none, and stays as it is from then on: a "
    "balance that was sent once would not change any more.",
    MergePolicy.MAX: "Of two numbers or dates the larger one stays. Right for figures that only grow.",
    MergePolicy.SKIP_EXISTING: "Profiles that were there before us are held back; only people whom we bring "
    "in are kept up to date.",
}


class Stage(StrEnum):
    """From the first name to what works; only `ATTENTION`, `UNCHECKED` and `WORKING` are switched on."""

    DRAFT = "draft"
    DISCONNECTED = "disconnected"
    READY = "ready"
    OFF = "off"
    REMOVED = "removed"
    ATTENTION = "attention"
    UNCHECKED = "unchecked"
    WORKING = "working"


@dataclass(frozen=True)
class Story:
    """`badge` and `words` name the state; `sentence` says what it means."""

    stage: Stage
    badge: str
    words: str
    sentence: str

    @property
    def needs_access(self) -> bool:
        """Whether connecting again is what mends it."""
        return self.stage in (Stage.REMOVED, Stage.DISCONNECTED)


def stage(extension: Extension, *, has_secret: bool) -> Stage:
    if extension.removed_at:
        return Stage.REMOVED
    if not has_secret:
        return Stage.DISCONNECTED if extension.account_id or extension.active_since else Stage.DRAFT
    if not extension.is_active:
        return _switched_off(extension)
    if extension.health == Health.ATTENTION:
        return Stage.ATTENTION
    return Stage.WORKING if extension.health == Health.OK else Stage.UNCHECKED


def _switched_off(extension: Extension) -> Stage:
    if extension.health == Health.ATTENTION:
        return Stage.ATTENTION
    return Stage.OFF if extension.active_since else Stage.READY


def tell(extension: Extension, name: str, *, has_secret: bool) -> Story:
    """`name` is the destination's."""
    found = stage(extension, has_secret=has_secret)
    badge, words, sentence = {
        Stage.DRAFT: ("open", "Not connected yet", f"Nothing is sent before you connect it to {name}."),
        Stage.DISCONNECTED: (
            "off",
            "Disconnected",
            "Nothing is sent. Mappings are kept, and what happens meanwhile waits until you reconnect.",
        ),
        Stage.READY: (
            "open",
            "Connected, not sending yet",
            f"{name} accepts us. Nothing has been sent: that begins when you say so.",
        ),
        Stage.OFF: ("off", "Switched off", "Nothing is sent. Mappings are kept, and what happens waits."),
        Stage.REMOVED: (
            "attention",
            f"Removed in {name}",
            extension.health_reason or f"Our access was taken away in {name}. Reconnect; mappings are kept.",
        ),
        Stage.ATTENTION: ("attention", "Needs attention", _trouble(extension)),
        Stage.UNCHECKED: ("open", "Not checked yet", f"It is not known yet whether {name} accepts us."),
        Stage.WORKING: ("ok", "Working", f"{name} accepts what we send."),
    }[found]
    return Story(found, badge, words, sentence)


def _trouble(extension: Extension) -> str:
    said = extension.health_reason or "Something is to be mended first."
    return f"{said} Nothing is lost: what is to be sent waits until this is mended."
