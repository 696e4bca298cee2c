"""Ten months of points: coffees bought, rewards taken, a mistake put right."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

MONTHS = timedelta(days=300)
POINTS_KEPT = timedelta(days=365)
REWARDS = (
    (150, "Reward: flat white"),
    (300, "Reward: bag of Fernhill House blend"),
    (600, "Reward: cupping evening"),
)
CORRECTIONS = (
    (50, "Goodwill: late delivery"),
    (25, "Goodwill: wrong grind"),
    (-20, "Correction: counted twice"),
)


def entries(members: Sequence[dict[str, object]], now: datetime, random: Random) -> list[dict[str, object]]:
    """Entries as the ingestion API takes them, the oldest first."""
    found = [entry for member in members for entry in _of(member, now, random)]
    found.sort(key=lambda entry: (str(entry["occurred_at"]), str(entry["idempotency_key"])))
    return found


def _of(member: dict[str, object], now: datetime, random: Random) -> list[dict[str, object]]:
    """One person's purchases; about a quarter have stopped coming, and some never came."""
    enrolled_at = datetime.fromisoformat(str(member["enrolled_at"]))
    start = max(enrolled_at, now - MONTHS)
    end = now - timedelta(days=random.choice((0, 1, 2, 4, 9, 20, 75, 130)), minutes=random.randint(5, 500))
    visits = min(30, int(random.expovariate(1 / 9)))
    if end <= start or not visits:
        return []
    balance = 0
    found: list[dict[str, object]] = []
    for moment in sorted(start + (end - start) * random.random() for _ in range(visits)):
        points = 5 * random.choice((4, 5, 7, 9, 12, 16, 24, 38))
        order = f"F-{random.randint(10_000, 99_999)}"
        balance += points
        found.append(_entry(member, len(found), points, f"Order {order}", moment, order=order))
        reward, words = random.choice(REWARDS)
        later = moment + timedelta(minutes=3)
        if balance >= reward and random.random() < 0.35:
            balance -= reward
            found.append(_entry(member, len(found), -reward, words, later))
        elif random.random() < 0.02:
            points, words = random.choice(CORRECTIONS)
            balance += points
            found.append(_entry(member, len(found), points, words, later, kind="adjust"))
    return found


def _entry(
    member: dict[str, object], place: int, points: int, reason: str, moment: datetime, **more: str
) -> dict[str, object]:
    entry: dict[str, object] = {
        "external_id": member["external_id"],
        "points": points,
        "reason": reason,
        "idempotency_key": f"demo:{member['external_id']}:{place}",
        "occurred_at": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        **more,
    }
    if points > 0 and "kind" not in more:
        entry["expires_at"] = (moment + POINTS_KEPT).strftime("%Y-%m-%dT%H:%M:%SZ")
    return entry
