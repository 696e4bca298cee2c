"""An audience rule in words: one sentence for all of it, and the words of its pieces.

Labels are those of the fields by key. Where a value has a name of its own (a tier's slug), `names` has it,
by field key and value; what is not there is shown as it is.
"""

from collections.abc import Mapping
from datetime import UTC, date, tzinfo

from loyalty.rules import inputs
from loyalty.rules.audience_rules import Condition, Group, Rule

Labels = Mapping[str, str]
Names = Mapping[str, Mapping[str, str]]

ATTRIBUTE = "attributes."
LISTED_AT_MOST = 6
# Operator → its words before the value, as the form offers them and the sentence says them.
OPERATOR_WORDS = {
    "equals": "is",
    "not_equals": "is not",
    "in": "is one of",
    "not_in": "is none of",
    "at_least": "is at least",
    "at_most": "is at most",
    "more_than": "is more than",
    "less_than": "is less than",
    "is_set": "is known",
    "is_not_set": "is not known",
    "contains": "contains",
    "before": "is before",
    "after": "is after",
    "within_last_days": "is within the last",
    "within_next_days": "is within the next",
}
_OF_LISTS = {
    "in": "include one of",
    "not_in": "include none of",
    "contains": "include",
    "is_set": "are known",
    "is_not_set": "are not known",
}
# How a sentence names a field whose label stands well beside a value, but not in the middle of words.
_SPOKEN = {
    "enrolled_at": "joining date",
    "created_at": "first day here",
    "points_lifetime": "number of points ever earned",
    "points_expiring_next": "number of points that expire next",
    "points_expire_at": "next expiry of points",
    "tier_since": "day of reaching the tier",
    "points_to_next_tier": "distance to the next tier",
    "tier_slug": "tier",
}
GROUP_WORDS = {"all": "All of these", "any": "Any of these", "none": "None of these"}


def operator_words(op: str, kind: str) -> str:
    """The operator for a field of this type, without its value."""
    return _OF_LISTS.get(op, OPERATOR_WORDS[op]) if kind == "list" else OPERATOR_WORDS[op]


def sentence(rule: Rule, labels: Labels, names: Names | None = None) -> str:
    """Whom the rule takes in: “Members whose tier is Gold and whose points balance is at least 100.”"""
    rule = _unwrapped(rule)
    if isinstance(rule, Group) and rule.kind == "none":
        return f"All members but those {_joined(rule, 'or', labels, names or {})}."
    return f"Members {_clause(rule, labels, names or {}, is_inside=False)}."


def condition_words(rule: Condition, labels: Labels, names: Names | None = None) -> str:
    """One condition: “tier is Gold”."""
    label = _label(rule, labels)
    if rule.op.startswith("within"):
        return f"{label} {_days(rule.op, rule.value)}"
    words = operator_words(rule.op, rule.type)
    if rule.op in ("is_set", "is_not_set"):
        return f"{label} {words}"
    if rule.type != "list" and rule.op in ("in", "not_in"):
        words = "is" if rule.op == "in" else "is not"  # the list that follows is joined by “or”
    return f"{label} {words} {_told(rule, names or {})}"


def value_words(
    value: object, kind: str = "any", names: Mapping[str, str] | None = None, zone: tzinfo = UTC
) -> str:
    """A member's value, or one that a condition asks for; times as clocks of the zone show them."""
    if value is None or value == "" or value == []:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:,}"
    if isinstance(value, list | tuple):
        return _among([value_words(item, kind, names, zone) for item in value], "and")
    text = str(value)
    named = (names or {}).get(text)
    return named or (_day(text, zone) if kind in ("date", "datetime") else text)


def _unwrapped(rule: Rule) -> Rule:
    while isinstance(rule, Group) and rule.kind != "none" and len(rule.parts) == 1:
        rule = rule.parts[0]
    return rule


def _clause(rule: Rule, labels: Labels, names: Names, *, is_inside: bool) -> str:
    rule = _unwrapped(rule)
    if isinstance(rule, Condition):
        return f"whose {condition_words(rule, labels, names)}"
    if rule.kind == "none":
        words = _joined(rule, "or", labels, names)
        return f"who are not among those {f'({words})' if len(rule.parts) > 1 else words}"
    words = _joined(rule, "and" if rule.kind == "all" else "or", labels, names)
    return f"({words})" if is_inside else words


def _joined(rule: Group, word: str, labels: Labels, names: Names) -> str:
    return f" {word} ".join(_clause(part, labels, names, is_inside=True) for part in rule.parts)


def _label(rule: Condition, labels: Labels) -> str:
    if rule.field.startswith(ATTRIBUTE):
        return f"“{labels.get(rule.field, rule.field.removeprefix(ATTRIBUTE))}”"
    label = _SPOKEN.get(rule.field) or labels.get(rule.field, rule.field)
    is_word = label[1:2].islower() or label[1:2] in ("", "-", " ")
    return label[:1].lower() + label[1:] if is_word else label


def _told(rule: Condition, names: Names) -> str:
    own = names.get(rule.field)
    if rule.op not in ("in", "not_in"):
        return value_words(rule.value, rule.type, own)
    listed: tuple[object, ...] = rule.value  # type: ignore[assignment]  # the parser made it one
    return _among([value_words(item, rule.type, own) for item in listed], "or")


def _among(words: list[str], last: str) -> str:
    if len(words) > LISTED_AT_MOST:
        more = len(words) - LISTED_AT_MOST + 1
        words = [*words[: LISTED_AT_MOST - 1], f"{more} more"]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def _days(op: str, value: object) -> str:
    side = "last" if op == "within_last_days" else "next"
    if value == 0:
        return "is today"
    return f"is within the {side} {f'{value:,} days' if value != 1 else 'day'}"


def _day(text: str, zone: tzinfo) -> str:
    """2026-03-01 as 1 March 2026; a time with its clock and the name of its zone."""
    try:
        if len(text) == 10:
            day = date.fromisoformat(text)
            return f"{day.day} {day:%B %Y}"
        if text.startswith("--"):
            day = date.fromisoformat(f"2024{text[1:]}")
            return f"{day.day} {day:%B}"
        moment = inputs.moment(text).astimezone(zone)
    except ValueError:
        return text
    return f"{moment.day} {moment:%B %Y, %H:%M %Z}"
