"""Common rules to start from, so that nobody begins with an empty form."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Start:
    key: str
    name: str
    help: str
    rule: Mapping[str, object]


EMPTY = "empty"
_COMMON = (
    Start(
        "points",
        "Points to spend",
        "Members whose balance is worth a visit.",
        {"all": [{"field": "points_balance", "op": "at_least", "value": 500}]},
    ),
    Start(
        "inactive",
        "Inactive for 90 days",
        "Members who earned or redeemed before, but not lately.",
        {
            "all": [
                {"field": "last_activity_at", "op": "is_set"},
                {"none": [{"field": "last_activity_at", "op": "within_last_days", "value": 90}]},
            ]
        },
    ),
    Start(
        "birthday",
        "Birthday within a week",
        "Members whose birthday is today or in the next 7 days.",
        {"all": [{"field": "birthday", "op": "within_next_days", "value": 7}]},
    ),
    Start(
        "expiring",
        "Points expire soon",
        "Members who lose points within 30 days.",
        {"all": [{"field": "points_expire_at", "op": "within_next_days", "value": 30}]},
    ),
)


def starts(tiers: Mapping[str, str]) -> list[Start]:
    """What a merchant can start from; `tiers` are names by short name, the lowest first."""
    listed = list(_COMMON)
    if tiers:
        slug, name = list(tiers.items())[-1]
        rule = {"all": [{"field": "tier_slug", "op": "equals", "value": slug}]}
        listed.insert(0, Start("tier", f"{name} members", "Members of your highest tier.", rule))
    return listed


def start_of(key: str, tiers: Mapping[str, str]) -> Start | None:
    return next((start for start in starts(tiers) if start.key == key), None)
