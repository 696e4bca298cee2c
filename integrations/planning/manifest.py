"""What one batch carries, row by row: written before the call, settled from after it (pure).

A manifest is the list of rows in the order of the body. It is stored compressed beside the body, so that
a restart settles what was sent instead of planning anew.
"""

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any


@dataclass
class Row:
    """One member, membership or event in a batch.

    `document` is what will be recorded as sent, `kept` what was left to the destination. `verdict` empty:
    still to be sent, or sent and not settled yet.
    """

    member_id: int
    document: dict[str, Any] | None = None
    kept: dict[str, Any] | None = None
    action: str = ""
    changes: dict[str, Any] | None = None
    verdict: str = ""
    code: str = ""
    words: str = ""
    what: str = ""
    remote_id: str = ""
    created_by_us: bool | None = None
    delivery_id: int | None = None
    keeps_payload: bool = False  # the row wrote identifiers only: what was sent before stays known
    email: str = ""
    phone: str = ""
    external_id: str = ""

    @property
    def is_pending(self) -> bool:
        return not self.verdict

    def refuse(self, code: str, words: str) -> None:
        self.verdict, self.code, self.words = "rejected", code, words[:500]

    def fail(self, code: str, words: str) -> None:
        self.verdict, self.code, self.words = "failed", code, words[:500]

    def hold(self, code: str, words: str) -> None:
        self.verdict, self.code, self.words = "held", code, words[:500]


_DEFAULTS = {field.name: field.default for field in fields(Row)}


def dump(rows: Iterable[Row]) -> bytes:
    """Rows as compressed JSON, without the defaults."""
    slim = [{key: value for key, value in vars(row).items() if value != _DEFAULTS[key]} for row in rows]
    return zlib.compress(json.dumps(slim, ensure_ascii=False, separators=(",", ":")).encode(), 1)


def load(data: bytes | memoryview | None) -> list[Row]:
    """The inverse of `dump`; no data gives no rows."""
    if not data:
        return []
    return [Row(**row) for row in json.loads(zlib.decompress(bytes(data)))]
