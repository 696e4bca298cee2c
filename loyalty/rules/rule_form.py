"""A rule while it is being built in a form: drafts may be unfinished or wrong, and nothing typed is lost.

Names of inputs say where they stand: `node-kind` is the outermost group, `node-0-field` its first condition,
`node-1-0-op` the first condition of its second part. The outermost node of a form is always a group.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from loyalty.rules import value_text
from loyalty.rules.audience_rules import GROUPS, MAX_CONDITIONS, MAX_DEPTH
from loyalty.rules.condition_values import OPERATORS

ROOT = "node"
_NAME = re.compile(rf"(node(?:-\d{{1,4}}){{0,{MAX_DEPTH + 1}}})-(kind|field|op|value|pick|was)")
# The type by which the form asks for the value of a field.
KindOf = Callable[[str], str]


@dataclass(frozen=True)
class DraftCondition:
    """One comparison as it was typed; `was` is the field that the form showed before."""

    field: str = ""
    op: str = ""
    value: str = ""
    was: str = ""


@dataclass(frozen=True)
class DraftGroup:
    kind: str
    parts: "tuple[Draft, ...]" = ()


Draft = DraftCondition | DraftGroup
EMPTY = DraftGroup("all", (DraftCondition(),))


def read(posted: Mapping[str, Sequence[str]]) -> DraftGroup:
    """The draft that a form sent; parts in the order of their numbers, whatever is missing between."""
    told: dict[str, dict[str, Sequence[str]]] = {}
    for name, values in posted.items():
        found = _NAME.fullmatch(name)
        if found and values:
            told.setdefault(found[1], {})[found[2]] = values
    children: dict[str, list[str]] = {}
    for path in sorted(told, key=_place):
        children.setdefault(path.rpartition("-")[0], []).append(path)
    group = _read(ROOT, told, children)
    return group if isinstance(group, DraftGroup) else EMPTY


def _place(path: str) -> list[int]:
    return [int(number) for number in path.split("-")[1:]]


def _read(
    path: str, told: Mapping[str, Mapping[str, Sequence[str]]], children: Mapping[str, list[str]]
) -> Draft:
    values = told.get(path, {})
    if path == ROOT or "kind" in values:
        kind = values.get("kind", ["all"])[-1]
        parts = tuple(_read(child, told, children) for child in children.get(path, ()))
        return DraftGroup(kind if kind in GROUPS else "all", parts)
    last = {key: listed[-1] for key, listed in values.items()}
    value = value_text.join(values["pick"]) if "pick" in values else last.get("value", "")
    return DraftCondition(last.get("field", ""), last.get("op", ""), value, last.get("was", ""))


def draft_of(raw: object, kind_of: KindOf) -> DraftGroup:
    """The draft of a stored rule. A rule that is one condition stands in a group of its own."""
    draft = _draft(raw, kind_of, 1)
    return draft if isinstance(draft, DraftGroup) else DraftGroup("all", (draft,))


def _draft(raw: object, kind_of: KindOf, depth: int) -> Draft:
    if not isinstance(raw, Mapping) or depth > MAX_DEPTH + 1:
        return DraftCondition()
    for kind in GROUPS:
        if isinstance(raw.get(kind), list | tuple):
            return DraftGroup(kind, tuple(_draft(part, kind_of, depth + 1) for part in raw[kind]))
    key, op = str(raw.get("field", "")), str(raw.get("op", ""))
    return DraftCondition(key, op, value_text.write(op, kind_of(key), raw.get("value")), key)


def raw_of(draft: Draft, kind_of: KindOf) -> dict[str, object]:
    """The rule tree as the parser reads it."""
    if isinstance(draft, DraftGroup):
        return {draft.kind: [raw_of(part, kind_of) for part in draft.parts]}
    raw: dict[str, object] = {"field": draft.field, "op": draft.op}
    value = value_text.read(draft.op, kind_of(draft.field), draft.value)
    return raw if value is None else raw | {"value": value}


def settled(draft: DraftGroup, operators: Callable[[str], Sequence[str]]) -> DraftGroup:
    """Where another field was chosen, its value is asked anew; an operator that does not fit gives way."""
    return replace(draft, parts=tuple(_settled(part, operators) for part in draft.parts))


def _settled(part: Draft, operators: Callable[[str], Sequence[str]]) -> Draft:
    if isinstance(part, DraftGroup):
        return settled(part, operators)
    if not part.field:
        return DraftCondition()
    fitting = operators(part.field)
    is_same = part.field == part.was
    op = part.op if part.op in fitting or (is_same and part.op in OPERATORS) else fitting[0]
    return DraftCondition(part.field, op, part.value if is_same else "", part.field)


# Changes by buttons ---------------------------------------------------------------------------------


def change(draft: DraftGroup, verb: str, path: str) -> DraftGroup:
    """`condition` or `group` adds one at the end of the group at `path`; `remove` takes the node there away."""
    steps = _steps(path)
    if steps is None:
        return draft
    if verb == "remove":
        return _at(draft, steps[:-1], lambda group: _without(group, steps[-1])) if steps else draft
    if conditions(draft) >= MAX_CONDITIONS or (verb == "group" and len(steps) + 2 > MAX_DEPTH):
        return draft
    new: dict[str, Draft] = {"condition": DraftCondition(), "group": DraftGroup("any", (DraftCondition(),))}
    if verb not in new:
        return draft
    added = new[verb]
    return _at(draft, steps, lambda group: replace(group, parts=(*group.parts, added)))


def newest(draft: DraftGroup, path: str) -> str:
    """The path of the last condition in the group at `path`, or in a group that stands last there."""
    group: Draft | None = draft
    for step in _steps(path) or ():
        group = group.parts[step] if isinstance(group, DraftGroup) and step < len(group.parts) else None
    while isinstance(group, DraftGroup) and group.parts:
        path, group = f"{path}-{len(group.parts) - 1}", group.parts[-1]
    return path


def conditions(draft: Draft) -> int:
    return sum(map(conditions, draft.parts)) if isinstance(draft, DraftGroup) else 1


def _steps(path: str) -> list[int] | None:
    if not re.fullmatch(r"node(-\d{1,4})*", path):
        return None
    return _place(path)


def _at(group: DraftGroup, steps: Sequence[int], change: Callable[[DraftGroup], DraftGroup]) -> DraftGroup:
    if not steps:
        return change(group)
    first, *rest = steps
    part = group.parts[first] if first < len(group.parts) else None
    if not isinstance(part, DraftGroup):
        return group
    return replace(group, parts=(*group.parts[:first], _at(part, rest, change), *group.parts[first + 1 :]))


def _without(group: DraftGroup, place: int) -> DraftGroup:
    return replace(group, parts=(*group.parts[:place], *group.parts[place + 1 :]))


# Problems -------------------------------------------------------------------------------------------

_WORDS = {
    "must be a list with at least one condition.": "This group is empty. Add a condition, or remove the group.",
    "field is missing.": "Choose a field.",
    "value is missing.": "Say with what to compare.",
}


def problems_of(draft: DraftGroup, problems: Sequence[str]) -> dict[str, str]:
    """What the parser said of each node, by the path of its inputs; `node` is the whole rule."""
    places = dict(_paths(draft, ROOT, "rule"))
    found: dict[str, str] = {}
    for problem in problems:
        where, _, words = problem.partition(": ")
        found.setdefault(places.get(where, ROOT), _in_words(words))
    return found


def _paths(draft: Draft, path: str, parsed: str) -> list[tuple[str, str]]:
    pairs = [(parsed, path)]
    if isinstance(draft, DraftGroup):
        inside = f"{parsed}.{draft.kind}"
        pairs.append((inside, path))
        for place, part in enumerate(draft.parts):
            pairs += _paths(part, f"{path}-{place}", f"{inside}[{place}]")
    return pairs


def _in_words(words: str) -> str:
    if words in _WORDS:
        return _WORDS[words]
    return words[:1].upper() + words[1:]


def unfinished(draft: Draft, path: str = ROOT) -> list[str]:
    """The paths of nodes that lack something yet; wrong is another matter."""
    if isinstance(draft, DraftGroup):
        parts = [
            where for place, part in enumerate(draft.parts) for where in unfinished(part, f"{path}-{place}")
        ]
        return parts if draft.parts else [path]
    has_value = draft.op in value_text.NONE or bool(draft.value.strip())
    return [] if draft.field and draft.op in OPERATORS and has_value else [path]
