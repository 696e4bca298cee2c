"""PURE: the portal's own form: columns named as the API names its fields.

attributes.<key> is text; attributes.<key>:number, :boolean and :json say otherwise.
"""

import re
from collections.abc import Callable, Sequence

from loyalty.importing.columns import Column, ColumnProblem, points, words
from loyalty.rules import member_input
from portal.rest import strict_json

NESTED = ("attributes", "consent")
PLAIN = sorted(member_input.FIELDS - set(NESTED))
KNOWN = (
    *PLAIN,
    "points_balance",
    *(f"consent.{channel}" for channel in member_input.CHANNELS),
    "attributes.<name>",
)
_NUMBER = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,2})?", re.ASCII)
_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")


def recognises(header: Sequence[str]) -> bool:
    return True


def columns(header: Sequence[str], ignore_unknown: bool) -> list[Column]:
    """What each column of this header means; those without a name are left out."""
    found = [_column(index, title) for index, title in enumerate(header) if title.strip()]
    unknown = [header[index].strip() for index, column in found if column is None]
    if unknown and not ignore_unknown:
        listed = ", ".join(f"“{title}”" for title in unknown)
        raise ColumnProblem(
            f"Unknown column: {listed}. Known are {', '.join(KNOWN)}. "
            "Rename it, or leave it out with --ignore-unknown."
        )
    known = [column for _, column in found if column is not None]
    _check(known)
    return known


def _check(known: list[Column]) -> None:
    names = [column.name for column in known]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ColumnProblem(f"The column “{twice[0]}” stands twice in the first line.")
    if "external_id" not in names:
        raise ColumnProblem("The column “external_id” is missing: every row needs your own id of the member.")
    keys = {column.key: "x" for column in known if column.field == "attributes"}
    _, errors, _ = member_input.parse({"external_id": "x", "attributes": keys})
    if errors:
        raise ColumnProblem(" ".join(errors))


def _column(index: int, title: str) -> tuple[int, Column | None]:
    """Names are read without regard to case, and with spaces or hyphens for underscores."""
    head, dot, key = title.strip().partition(".")
    field = re.sub(r"[\s-]+", "_", head.strip().lower())
    if dot and field == "attributes":
        return index, _attribute(index, key.strip())
    if dot and field == "consent" and key.strip().lower() in member_input.CHANNELS:
        return index, Column(index, field, key.strip().lower(), _consent)
    if not dot and field in _READERS:
        return index, Column(index, field, read=_READERS[field])
    return index, None


def _attribute(index: int, key: str) -> Column | None:
    name, colon, kind = key.rpartition(":")
    if colon and kind.strip().lower() in _ATTRIBUTE_KINDS:
        return Column(index, "attributes", name.strip(), _ATTRIBUTE_KINDS[kind.strip().lower()])
    return Column(index, "attributes", key) if key else None


def _consent(cell: str) -> str:
    return cell.strip().lower()


def _number(cell: str) -> int | float:
    given = cell.strip()
    if not _NUMBER.fullmatch(given):
        raise ValueError("must be a number, with a point for decimals and no separators.")
    return int(given) if given.lstrip("+-").isdigit() else float(given)


def _boolean(cell: str) -> bool:
    given = cell.strip().lower()
    if given not in _TRUE + _FALSE:
        raise ValueError("must be true or false.")
    return given in _TRUE


def _json(cell: str) -> object:
    try:
        parsed = strict_json.parse(cell.encode())
    except strict_json.Unreadable as error:
        raise ValueError(f"must be JSON: {error}.") from error
    objection = strict_json.unstorable(parsed.value, look_at_text=parsed.is_suspect)
    if objection:
        raise ValueError(f"{objection}.")
    return parsed.value


_ATTRIBUTE_KINDS: dict[str, Callable[[str], object] | None] = {
    "text": None,
    "number": _number,
    "boolean": _boolean,
    "json": _json,
}
_READERS: dict[str, Callable[[str], object] | None] = {
    **dict.fromkeys(PLAIN),
    "tags": words,
    "points_balance": points,
    "state": lambda cell: cell.strip().lower(),
}
