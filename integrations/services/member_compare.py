"""PURE: a member's document line by line: what should be, what we sent, what is there now."""

from dataclasses import dataclass
from typing import Any

from integrations.gateway.values import STANDARD_KEYS
from integrations.models import Verdict
from integrations.planning import merge
from integrations.services.member_standing import Standing
from loyalty import fields

LABELS = {
    "external_id": "Your id",
    "email": "E-mail",
    "phone": "Phone",
    "first_name": "First name",
    "last_name": "Last name",
    "locale": "Language",
    "address1": "Address",
    "address2": "Address, second line",
    "city": "City",
    "region": "Region",
    "zip": "Postcode",
    "country": "Country",
    "timezone": "Time zone",
}
POLICIES = {
    "overwrite": "ours always wins",
    "fill_empty": "filled only when empty there",
    "keep_theirs": "theirs stays once there is one",
    "max": "the larger value wins",
}
SKIPS = "existing profiles are left alone"


@dataclass(frozen=True)
class Line:
    """One attribute or property. `state` and `words` say how wanted and sent compare, `now_…` wanted and theirs.

    A state is a look of badges: good, quiet, busy, attention, bad or held.
    """

    label: str
    source: str
    policy: str
    wanted: Any
    sent: Any
    state: str
    words: str
    theirs: Any = None
    now_state: str = ""
    now_words: str = ""

    @property
    def is_empty(self) -> bool:
        return all(value in (None, "", []) for value in (self.wanted, self.sent, self.theirs))


def lines(standing: Standing, theirs: merge.Flat | None = None) -> list[Line]:
    """Standard attributes first, then the mapped properties, then what was sent and is mapped no more.

    `theirs` is what was just read there, flat; None where nothing was read.
    """
    sources = {f".{row.property}": _source(row.field) for row in standing.extension.field_mappings.all()}
    known = [*STANDARD_KEYS, *sources]
    gone = sorted((standing.arrived or {}).keys() - set(known))
    return [_line(standing, key, sources.get(key, ""), theirs) for key in (*known, *gone)]


def _source(field: str) -> str:
    try:
        return fields.get(field).label
    except fields.UnknownField:
        return field


def _line(standing: Standing, key: str, source: str, theirs: merge.Flat | None) -> Line:
    wanted, sent = standing.wanted.get(key), (standing.arrived or {}).get(key)
    state, words = _compare(standing, key, wanted, sent)
    found = None if theirs is None else theirs.get(key)
    now_state, now_words = ("", "") if theirs is None else _look(standing, key, wanted, found)
    return Line(
        label=key[1:] if key.startswith(".") else LABELS[key],
        source=source,
        policy=_policy(standing, key),
        wanted=wanted,
        sent=sent,
        state=state,
        words=words,
        theirs=found,
        now_state=now_state,
        now_words=now_words,
    )


def _policy(standing: Standing, key: str) -> str:
    if standing.policies.skips_existing:
        return SKIPS
    return POLICIES["overwrite" if key == "external_id" else standing.policies.of(key)]


def _compare(standing: Standing, key: str, wanted: Any, sent: Any) -> tuple[str, str]:
    if wanted is None and sent is None:
        return "quiet", "empty"
    if key in standing.left:
        return "quiet", "not mapped any more, left there"
    if standing.arrived is not None and merge.same(wanted, sent):
        return ("held", "kept theirs by policy") if key in standing.kept else ("good", "as sent")
    if standing.hold or (standing.sent and standing.sent.verdict == Verdict.HELD):
        return "held", "held back"
    if standing.batch is not None:
        return "busy", "on its way"
    if standing.is_refused:
        return "bad", "refused"
    if standing.is_due:
        return "busy", "waits to be sent"
    return ("attention", "never sent") if standing.arrived is None else ("attention", "differs")


def _look(standing: Standing, key: str, wanted: Any, found: Any) -> tuple[str, str]:
    if wanted is None and found is None:
        return "", ""
    if merge.same(wanted, found):
        return "good", "as it should be"
    if wanted is None:
        return "quiet", "theirs"
    is_theirs_to_keep = key in standing.kept or (
        standing.policies.of(key) in merge.READING and key != "external_id" and found not in (None, "", [])
    )
    if is_theirs_to_keep:
        return "held", "kept theirs by policy"
    return ("attention", "missing there") if found is None else ("attention", "differs")
