"""What the rule form shows: each node of a draft with its inputs, for one tenant's fields and tiers."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from loyalty import audience_words, fields
from loyalty.fields import ATTRIBUTE, Field, FieldType
from loyalty.rules import rule_form, rule_words, value_text
from loyalty.rules.audience_rules import FORBIDDEN_FIELDS, GROUPS, MAX_DEPTH
from loyalty.rules.condition_values import MAX_DAYS, OPERATORS
from loyalty.rules.rule_form import Draft, DraftCondition, DraftGroup
from portal.tenancy.models import Tenant

YES_NO = {"true": "yes", "false": "no"}
# The tier is offered once, by the short name that stays when it is renamed.
_OFFERED_IF_USED = ("tier_name",)
LABELS = {"tier_slug": "Tier", "tier_name": "Tier, by its name"}
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TEXT_OR_DAY = ("text",), ("before", "after", *value_text.DAYS)


@dataclass(frozen=True)
class Option:
    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True)
class ConditionNode:
    """`widget` is one of none, text, number, days, date, list, select, pick."""

    path: str
    field_groups: tuple[tuple[str, tuple[Option, ...]], ...]
    operators: tuple[Option, ...]
    widget: str
    value: str
    choices: tuple[Option, ...]
    was: str
    help: str
    error: str
    number: int
    is_focus: bool
    is_group: bool = False
    most_days: int = MAX_DAYS


@dataclass(frozen=True)
class GroupNode:
    path: str
    kinds: tuple[Option, ...]
    parts: "tuple[ConditionNode | GroupNode, ...]"
    error: str
    number: int
    is_root: bool
    may_nest: bool
    is_focus: bool
    is_group: bool = True


class Catalogue:
    """The fields of a tenant with their operators and choices. Two queries."""

    def __init__(self, tenant: Tenant) -> None:
        self.fields: Mapping[str, Field] = fields.all_fields(tenant)
        self.names = audience_words.names(tenant)
        tiers = list(self.names["tier_slug"].values())
        by_name = {name: name for name in tiers}
        self.choices = {**self.names, "tier_name": by_name, "next_tier_name": by_name}

    def kind_of(self, key: str) -> str:
        """The type that the form asks for; of an attribute that nobody has lately, any."""
        if key in self.fields:
            return str(self.fields[key].type)
        return str(FieldType.ANY if key.startswith(ATTRIBUTE) else FieldType.TEXT)

    def operators(self, key: str) -> list[str]:
        """The operators that are offered for a field. A merchant's own text may hold days."""
        kind = self.kind_of(key)
        more = _TEXT_OR_DAY[1] if key.startswith(ATTRIBUTE) and kind in _TEXT_OR_DAY[0] else ()
        return [op for op, kinds in OPERATORS.items() if kind in kinds or op in more]

    def choices_of(self, key: str) -> Mapping[str, str]:
        return YES_NO if self.kind_of(key) == FieldType.BOOLEAN else self.choices.get(key, {})

    def groups(self, chosen: str) -> tuple[tuple[str, tuple[Option, ...]], ...]:
        """The fields under the headings of the catalogue; one that a rule has already stays in it."""
        found: dict[str, list[Option]] = {}
        for key, field in self.fields.items():
            if key in FORBIDDEN_FIELDS or (key in _OFFERED_IF_USED and key != chosen):
                continue
            label = LABELS.get(key, field.label)
            found.setdefault(field.group, []).append(Option(key, label, key == chosen))
        if chosen and chosen not in self.fields:
            label = chosen.removeprefix(ATTRIBUTE)
            found.setdefault("Not seen lately", []).append(Option(chosen, label, True))
        return tuple((group, tuple(options)) for group, options in found.items())


def nodes(
    draft: DraftGroup, catalogue: Catalogue, *, problems: Mapping[str, str], focus: str = ""
) -> GroupNode:
    """The form of a draft; `problems` are sentences by path, `focus` the path that the eye goes to next."""
    return _Builder(catalogue, problems, focus).group(draft, rule_form.ROOT, 1, 1)


class _Builder:
    def __init__(self, catalogue: Catalogue, problems: Mapping[str, str], focus: str) -> None:
        self.catalogue = catalogue
        self.problems = problems
        self.focus = focus

    def node(self, draft: Draft, path: str, number: int, depth: int) -> ConditionNode | GroupNode:
        if isinstance(draft, DraftGroup):
            return self.group(draft, path, number, depth)
        return self.condition(draft, path, number)

    def group(self, draft: DraftGroup, path: str, number: int, depth: int) -> GroupNode:
        parts = tuple(
            self.node(part, f"{path}-{place}", place + 1, depth + 1) for place, part in enumerate(draft.parts)
        )
        return GroupNode(
            path=path,
            kinds=tuple(Option(kind, rule_words.GROUP_WORDS[kind], kind == draft.kind) for kind in GROUPS),
            parts=parts,
            error=self.problems.get(path, ""),
            number=number,
            is_root=path == rule_form.ROOT,
            may_nest=depth < MAX_DEPTH,
            is_focus=path == self.focus,
        )

    def condition(self, draft: DraftCondition, path: str, number: int) -> ConditionNode:
        key, op = draft.field, draft.op
        choices = self.catalogue.choices_of(key)
        widget = _widget(draft, self.catalogue.kind_of(key), bool(choices))
        chosen = value_text.split(draft.value) if widget == "pick" else [draft.value]
        return ConditionNode(
            path=path,
            field_groups=self.catalogue.groups(key),
            operators=self._operators(key, op),
            widget=widget,
            value=draft.value,
            choices=_options(choices, chosen) if widget in ("select", "pick") else (),
            was=draft.was,
            help=_help(widget, key, self.catalogue),
            error=self.problems.get(path, ""),
            number=number,
            is_focus=path == self.focus,
        )

    def _operators(self, key: str, op: str) -> tuple[Option, ...]:
        if not key:
            return ()
        kind = self.catalogue.kind_of(key)
        offered = self.catalogue.operators(key)
        listed = offered if op in offered or op not in OPERATORS else [*offered, op]
        return tuple(Option(one, rule_words.operator_words(one, kind), one == op) for one in listed)


def _widget(draft: DraftCondition, kind: str, has_choices: bool) -> str:
    op = draft.op
    if not draft.field or op in value_text.NONE:
        return "none"
    if op in value_text.DAYS:
        return "days"
    if op in value_text.MANY:
        return "pick" if has_choices else "list"
    if op in ("before", "after"):
        return "date" if not draft.value or _DAY.fullmatch(draft.value) else "text"
    if op in value_text.NUMERIC or kind == FieldType.NUMBER:
        return "number"
    return "select" if has_choices and op in ("equals", "not_equals") else "text"


def _options(choices: Mapping[str, str], chosen: Sequence[str]) -> tuple[Option, ...]:
    """The choices, and what a rule asks for though it is none of them any more."""
    gone = {value: f"{value} (not there now)" for value in chosen if value and value not in choices}
    return tuple(Option(value, label, value in chosen) for value, label in {**choices, **gone}.items())


def _help(widget: str, key: str, catalogue: Catalogue) -> str:
    if widget == "list":
        return "Commas between. Put an entry that has a comma in quotation marks."
    field = catalogue.fields.get(key)
    return field.help if field and widget == "text" and not key.startswith(ATTRIBUTE) else ""
