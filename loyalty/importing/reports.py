"""What an import did, in figures and in lines."""

from dataclasses import dataclass, field
from typing import Any

DETAILS_KEPT = 10_000  # of each kind; the figures count all


@dataclass(frozen=True)
class LineNote:
    """What is to be said of one line of the file."""

    line: int
    external_id: str
    reason: str


@dataclass
class Report:
    """Filled while a file goes in. `refused` and `warnings` hold the first lines, the counts all."""

    format: str
    is_dry_run: bool = False
    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    replaced: int = 0  # by a later line of the same member
    refused_count: int = 0
    warning_count: int = 0
    opening_balances: int = 0
    seconds: float = 0.0
    refused: list[LineNote] = field(default_factory=list)
    warnings: list[LineNote] = field(default_factory=list)
    file_warnings: list[str] = field(default_factory=list)

    def refuse(self, line: int, external_id: str, reasons: tuple[str, ...]) -> None:
        self.refused_count += 1
        if len(self.refused) < DETAILS_KEPT:
            self.refused.append(LineNote(line, external_id, " ".join(reasons)))

    def warn(self, line: int, external_id: str, warning: str) -> None:
        self.warning_count += 1
        if len(self.warnings) < DETAILS_KEPT:
            self.warnings.append(LineNote(line, external_id, warning))

    def as_json(self) -> dict[str, Any]:
        return {
            "format": self.format,
            "dry_run": self.is_dry_run,
            "rows": self.rows,
            "created": self.created,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "replaced": self.replaced,
            "refused": self.refused_count,
            "warnings": self.warning_count,
            "opening_balances": self.opening_balances,
            "seconds": round(self.seconds, 3),
            "refused_rows": [vars(note) for note in self.refused],
            "warning_rows": [vars(note) for note in self.warnings],
            "file_warnings": self.file_warnings,
        }
