"""Which part of a call Klaviyo refused (pure): rows, profile ids, lists."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from integrations.errors import Refusal
from integrations.klaviyo import wording
from integrations.klaviyo.limits import Endpoint
from integrations.klaviyo.protocol import Call

Json = Any
Errors = Sequence[Mapping[str, Json]]

_BAD_IDS: Final = re.compile(r"invalid profile ids?:\s*(.+)", re.IGNORECASE | re.DOTALL)


def by_row(found: Errors, what: str) -> list[Refusal]:
    """One refusal per row that the pointers name, in the order of the rows."""
    rows: dict[int, list[Mapping[str, Json]]] = {}
    for error in found:
        index = wording.row(wording.pointer(error))
        if index is not None:
            rows.setdefault(index, []).append(error)
    return [_refusal(about, what, index) for index, about in sorted(rows.items())]


def whole(found: Errors, what: str) -> Refusal:
    """The refusal of a call that carries one row."""
    return _refusal(found, what, 0)


def unknown_profiles(found: Errors) -> list[Refusal]:
    """The ids in "Invalid profile IDs: A, B"."""
    ids: dict[str, None] = {}
    for error in found:
        match = _BAD_IDS.search(str(error.get("detail")))
        if match:
            ids |= dict.fromkeys(re.findall(r"[\w-]+", match[1]))
    words = "This profile was merged or deleted in Klaviyo."
    return [Refusal("unknown_profile", words, identifiers=(remote_id,)) for remote_id in ids]


def missing_list(call: Call, found: Errors) -> str | None:
    """The list that an import names and Klaviyo does not know; "" when it is not said which of several.

    None when the refusal is about something else.
    """
    about = [error for error in found if is_about_lists(error)]
    if call.endpoint != Endpoint.START_IMPORT or not about:
        return None
    ids = _list_ids(call.body)
    if len(ids) == 1:
        return ids[0]
    named = [list_id for list_id in ids if any(list_id in wording.detail(error) for error in about)]
    place = re.search(r"/lists/data/(\d+)", wording.pointer(about[0]))
    if not named and place:
        named = ids[int(place[1]) :]
    return named[0] if named else ""


def is_about_lists(error: Mapping[str, Json]) -> bool:
    place = wording.pointer(error)
    if "/relationships/lists" in place:
        return True
    return (
        wording.row(place) is None
        and re.search(r"\blists?\b", wording.detail(error), re.IGNORECASE) is not None
    )


def _list_ids(body: bytes) -> list[str]:
    relationships = json.loads(body)["data"].get("relationships", {})
    return [item["id"] for item in relationships.get("lists", {}).get("data", [])]


def _refusal(about: Errors, what: str, index: int) -> Refusal:
    words = " ".join(dict.fromkeys(wording.words(error, what=what) for error in about))
    return Refusal(str(about[0].get("code") or "invalid"), words, index=index)
