"""Taking values out of a document: typed, with every problem collected and no key left unread."""

import difflib
from collections.abc import Callable, Collection, Iterable

from integrations.configuration.problems import Document, Problem
from loyalty.rules import inputs
from loyalty.rules.inputs import InputError

Check = Callable[[str], str | None]  # the text as it is stored, or None to keep it; raises ValueError


class Part:
    """One mapping of the document. `done()` refuses the keys that nobody took."""

    def __init__(self, document: Document, problems: list[Problem], value: object, path: str = "") -> None:
        self.document = document
        self.problems = problems
        self.path = path
        self._taken: set[str] = set()
        self.values: dict[str, object] = {}
        if isinstance(value, dict):
            self.values = value
        else:
            self.refuse("", "must be a mapping of names and values.")

    def at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path and key else self.path or key

    def refuse(self, key: str, words: str) -> None:
        self.problems.append(self.document.problem(self.at(key), words))

    def take(self, key: str) -> object:
        """The raw value; None where it is left out or null."""
        self._taken.add(key)
        return self.values.get(key)

    def has(self, key: str) -> bool:
        return self.values.get(key) is not None

    def text(self, key: str, *, limit: int, default: str | None = None, check: Check | None = None) -> str:
        """Text of 1 to `limit` characters; required unless there is a default."""
        value = self.take(key)
        if value is None:
            if default is None:
                self.refuse(key, "is missing.")
            return default or ""
        if isinstance(value, int | float) and not isinstance(value, bool):
            self.refuse(key, "must be text: put it in quotes.")
            return ""
        try:
            found = inputs.text(value, limit=limit)
            if not found:
                raise InputError("is empty.")
            return (check(found) if check else None) or found
        except ValueError as error:
            self.refuse(key, str(error))
            return ""

    def flag(self, key: str, default: bool) -> bool:
        value = self.take(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.refuse(key, "must be true or false.")
            return default
        return value

    def whole(self, key: str, *, least: int, most: int, default: int | None = None) -> int:
        value = self.take(key)
        if value is None and default is not None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            missing = "is missing." if value is None else f"must be a whole number from {least} to {most}."
            self.refuse(key, missing)
            return least
        return value

    def choice(self, key: str, known: Collection[str], default: str | None = None) -> str:
        value = self.take(key)
        if value is None and default is not None:
            return default
        if value is None:
            self.refuse(key, "is missing.")
        elif value not in known:
            self.refuse(key, f"must be one of {', '.join(known)}.{_nearest(str(value), known)}")
        return value if isinstance(value, str) and value in known else ""

    def part(self, key: str) -> "Part":
        return Part(self.document, self.problems, self.take(key), self.at(key))

    def parts(self, key: str) -> list["Part"]:
        """A list of mappings; left out, it is empty."""
        value = self.take(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.refuse(key, "must be a list.")
            return []
        return [
            Part(self.document, self.problems, item, f"{self.at(key)}[{place}]")
            for place, item in enumerate(value)
        ]

    def done(self) -> None:
        for key in self.values:
            if key not in self._taken:
                self.refuse(key, f"means nothing here.{_nearest(key, self._taken)}")


def _nearest(key: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(key.lower(), sorted(known), n=1)
    return f" Did you mean “{near[0]}”?" if near else ""


def refuse_twins(parts: Iterable[tuple[Part, str, object]]) -> None:
    """Refuse a value that an earlier part has already: (part, key, value)."""
    seen: dict[object, str] = {}
    for part, key, value in parts:
        if value in ("", None):
            continue
        if value in seen:
            part.refuse(key, f"is the same as {seen[value]}. Each may stand here once.")
        seen.setdefault(value, part.at(key))
