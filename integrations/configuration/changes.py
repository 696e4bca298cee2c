"""What applying a file did, line by line."""

from dataclasses import dataclass, field


@dataclass
class Changes:
    """`made`: what changed. `left`: what is there and not in the file. `notes`: what a person should know."""

    tenant: str
    made: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def tell(self, what: str, words: str) -> None:
        self.made.append(f"{what}: {words}")

    def leave(self, what: str) -> None:
        self.left.append(f"left alone: {what}")

    def note(self, words: str) -> None:
        self.notes.append(words)

    def lines(self) -> list[str]:
        return [*(self.made or [f"{self.tenant}: nothing to change"]), *self.left, *self.notes]


def difference(row: object, values: dict[str, object], names: dict[str, str] | None = None) -> list[str]:
    """Set the attributes of `row` that differ; return what differed, as “name before → after”."""
    told = []
    for name, value in values.items():
        before = getattr(row, name)
        if before != value:
            setattr(row, name, value)
            told.append(f"{(names or {}).get(name, name)} {_shown(before)} → {_shown(value)}")
    return told


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if value not in ("", None) else "(usual)"
