"""What is wrong with a file: every problem with its path and line, told together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """`path` as in extensions[0].lists[2].audience; empty for the file as a whole."""

    path: str
    words: str
    line: int | None = None

    def __str__(self) -> str:
        place = (
            f"line {self.line}, " if self.line and self.path else f"line {self.line}: " if self.line else ""
        )
        return f"{place}{self.path}: {self.words}" if self.path else f"{place}{self.words}"


class ConfigProblems(Exception):
    """The file cannot be applied; nothing of it was written."""

    def __init__(self, problems: Sequence[Problem], source: str = "") -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)
        self.source = source


@dataclass(frozen=True)
class Document:
    """A file as plain values, with the line of every path in it, and what could not be read."""

    source: str
    value: object
    lines: Mapping[str, int]
    problems: tuple[Problem, ...] = ()

    def problem(self, path: str, words: str) -> Problem:
        return Problem(path, words, self.line_of(path))

    def line_of(self, path: str) -> int | None:
        """The line of the path, or of the nearest thing around it (a missing key has no line of its own)."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return None
