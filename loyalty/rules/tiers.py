"""Tier maths: which step a number of points reaches, and how far the next one is."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One tier; reached from `threshold` lifetime points on."""

    slug: str
    name: str
    threshold: int


@dataclass(frozen=True)
class Standing:
    """Where a member stands on the ladder. `share` of the way from the current step to the next, 0 to 1."""

    current: Step | None
    next: Step | None
    missing: int | None
    share: float


def standing(steps: Iterable[Step], lifetime: int) -> Standing:
    ladder = sorted(steps, key=lambda step: step.threshold)
    current = next((step for step in reversed(ladder) if step.threshold <= lifetime), None)
    following = next((step for step in ladder if step.threshold > lifetime), None)
    if following is None:
        return Standing(current, None, None, 1.0)
    start = current.threshold if current else 0
    share = (lifetime - start) / (following.threshold - start)
    return Standing(current, following, following.threshold - lifetime, share)


def is_rise(before: int | None, after: int | None) -> bool:
    """Whether a move between two thresholds goes up; None is below every tier."""
    return (-1 if after is None else after) > (-1 if before is None else before)


def definition_errors(steps: Iterable[Step]) -> tuple[str, ...]:
    """What is wrong with a set of tiers as a whole."""
    errors: list[str] = []
    seen: dict[str, str] = {}
    for step in steps:
        if step.threshold < 0:
            errors.append(f"{step.slug}: the threshold must not be negative.")
        for what in (f"short name {step.slug}", f"threshold {step.threshold}"):
            if what in seen:
                errors.append(f"{step.slug}: has the same {what} as {seen[what]}.")
            seen[what] = step.slug
    return tuple(errors)
