"""Whose value wins: from what should be, what was sent and what is there to what is written (pure).

Documents are flattened to one level: standard keys as they are, a property as "." and its name.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from integrations.gateway.values import IDENTIFIERS, STANDARD_KEYS, ProfileWrite

Flat = dict[str, Any]

# With no policy chosen: loyalty properties and the e-mail are ours, what a shop knows better is filled.
FILLED_BY_DEFAULT = frozenset(STANDARD_KEYS) - {"external_id", "email"}
READING = frozenset({"fill_empty", "keep_theirs", "max"})


@dataclass(frozen=True)
class Policies:
    """The connection's merge policy with its exceptions by property name.

    `retired` names the properties that are being cleared: where ours does not always win, only a value
    that is still the one we wrote is ours to take away.
    """

    default: str = ""
    exceptions: Mapping[str, str] = field(default_factory=dict)
    retired: Collection[str] = frozenset()

    def of(self, key: str) -> str:
        """Return overwrite, fill_empty, keep_theirs or max for a flat key."""
        if self.clears(key):
            chosen = self.exceptions.get(key[1:]) or self.default
            return "overwrite" if chosen in ("", "overwrite") else "fill_empty"
        if key.startswith(".") and (exception := self.exceptions.get(key[1:])):
            return exception
        if self.default in ("", "skip_existing"):
            filled = self.default == "" and key in FILLED_BY_DEFAULT
            return "fill_empty" if filled else "overwrite"
        return self.default

    def clears(self, key: str) -> bool:
        return key.startswith(".") and key[1:] in self.retired

    @property
    def skips_existing(self) -> bool:
        return self.default == "skip_existing"


@dataclass(frozen=True)
class Known:
    """What we know of one profile there.

    `payload` and `kept` as the last settling left them; `theirs` as just read (None: not read), where an
    empty dict with `exists` False means that nobody is there.
    """

    payload: Flat | None = None
    kept: Flat = field(default_factory=dict)
    theirs: Flat | None = None
    exists: bool | None = None
    created_by_us: bool | None = None


@dataclass(frozen=True)
class Decision:
    """What to write, what was left to them, and what changes (key: [before, after])."""

    write: ProfileWrite
    kept: Flat
    changes: dict[str, list[Any]]
    is_skipped: bool = False


def same(left: Any, right: Any) -> bool:
    """Equality as the database and the destination have it: true is not 1."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def flatten(document: Mapping[str, Any]) -> Flat:
    """One level: {"email": …, "properties": {"A": 1}} becomes {"email": …, ".A": 1}."""
    flat = {key: value for key, value in document.items() if key != "properties"}
    flat.update({f".{name}": value for name, value in (document.get("properties") or {}).items()})
    return flat


def needs_reading(desired: Flat, known: Known, policies: Policies, *, force: bool = False) -> bool:
    """Whether the decision depends on what is there now."""
    if known.theirs is not None or known.exists is False:
        return False
    if policies.skips_existing and known.created_by_us is None:
        return True
    old = known.payload or {}
    return any(
        policies.of(key) in READING
        and (force or not same(desired.get(key), old.get(key)))
        and key not in ("external_id",)
        for key in desired.keys() | old.keys()
    )


def decide(
    desired: Flat,
    known: Known,
    policies: Policies,
    *,
    remote_id: str = "",
    force: bool = False,
    identifiers_only: bool = False,
) -> Decision:
    """Turn one member's desired document into a write."""
    identifiers = {key: desired[key] for key in IDENTIFIERS if desired.get(key) is not None}
    if identifiers_only:
        return Decision(ProfileWrite(values=identifiers, remote_id=remote_id), dict(known.kept), {})
    if policies.skips_existing and known.created_by_us is not True and known.exists is not False:
        return Decision(ProfileWrite(values=identifiers, remote_id=remote_id), {}, {}, is_skipped=True)
    merged = _merge(desired, known, policies, force)
    return _as_decision(merged, identifiers, desired, known, remote_id)


def _merge(desired: Flat, known: Known, policies: Policies, force: bool) -> dict[str, tuple[str, Any]]:
    """Per key: ("set", value), ("clear", None), ("keep", theirs) or ("leave", None)."""
    old = known.payload or {}
    return {
        key: ("leave", None)
        if policies.clears(key) and key in known.kept  # what a policy left to them was never ours
        else _one(key, desired.get(key), old.get(key), known, policies.of(key), force)
        for key in sorted(desired.keys() | old.keys())
    }


def _one(key: str, new: Any, old: Any, known: Known, policy: str, force: bool) -> tuple[str, Any]:
    if policy == "overwrite" or key == "external_id":
        if new is not None:
            return "set", new
        return ("leave", None) if key in IDENTIFIERS or old is None else ("clear", None)
    if same(new, old) and not force:
        return ("keep", known.kept[key]) if key in known.kept else ("leave", None)
    theirs = (known.theirs or {}).get(key)
    ours = old if key not in known.kept else None
    if new is None:
        is_ours = theirs is not None and same(theirs, ours) and key not in IDENTIFIERS
        return ("clear", None) if is_ours and policy != "keep_theirs" else ("leave", None)
    if _may_write(policy, new, theirs, ours):
        return "set", new
    return "keep", theirs


def _may_write(policy: str, new: Any, theirs: Any, ours: Any) -> bool:
    if theirs is None or theirs in ("", []):
        return True
    if policy == "fill_empty":
        return same(theirs, ours) or same(theirs, new)
    if policy == "max":
        return _is_larger(new, theirs)
    return same(theirs, new)


def _is_larger(new: Any, theirs: Any) -> bool:
    """Numbers by value, texts (ISO dates among them) by order; a change of type is ours to make."""
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (new, theirs))
    if numbers or (isinstance(new, str) and isinstance(theirs, str)):
        return bool(new >= theirs)
    return True


def _as_decision(
    merged: dict[str, tuple[str, Any]], identifiers: Flat, desired: Flat, known: Known, remote_id: str
) -> Decision:
    sets = {key: value for key, (what, value) in merged.items() if what == "set"}
    clears = [key for key, (what, _) in merged.items() if what == "clear"]
    kept = {key: value for key, (what, value) in merged.items() if what == "keep"}
    values = {key: value for key, value in sets.items() if not key.startswith(".")}
    # A kept identifier is not sent, unless nothing else would name the person.
    named = {key: value for key, value in identifiers.items() if key not in kept}
    if not named.keys() & {"email", "phone"}:
        named = identifiers
    write = ProfileWrite(
        values=named | values,
        properties={key[1:]: value for key, value in sets.items() if key.startswith(".")},
        clear=tuple(key for key in clears if not key.startswith(".")),
        unset=tuple(key[1:] for key in clears if key.startswith(".")),
        remote_id=remote_id,
    )
    left = {key for key, (what, _) in merged.items() if what == "leave" and key.startswith(".")}
    return Decision(write, kept, _changes(desired, known, kept.keys() | left))


def _changes(desired: Flat, known: Known, untouched: Collection[str]) -> dict[str, list[Any]]:
    """What is different from what arrived last; for a first write nothing, since all is new."""
    if known.payload is None:
        return {}
    return {
        key: [known.payload.get(key), desired.get(key)]
        for key in sorted(desired.keys() | known.payload.keys())
        if not same(desired.get(key), known.payload.get(key)) and key not in untouched
    }
