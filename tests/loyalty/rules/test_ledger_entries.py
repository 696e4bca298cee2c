from datetime import UTC, datetime, timedelta

import pytest

from loyalty.rules.ledger_entries import MAX_POINTS, EntryInput, future_errors, parse, sign_errors

GOOD = {"external_id": "1", "points": 10, "reason": "Order", "idempotency_key": "k"}


@pytest.mark.parametrize(
    ("change", "name", "value"),
    [
        ({}, "settled_kind", "earn"),
        ({"points": -5}, "settled_kind", "redeem"),
        ({"kind": "adjust", "points": -5}, "settled_kind", "adjust"),
        ({"points": MAX_POINTS}, "points", MAX_POINTS),
        ({"external_id": 12, "idempotency_key": 13}, "idempotency_key", "13"),
        ({"order": 1001}, "order_ref", "1001"),
        ({"order": None}, "order_ref", ""),
        ({"occurred_at": "2026-03-01T10:00:00+01:00"}, "occurred_at", datetime(2026, 3, 1, 9, tzinfo=UTC)),
        ({"expires_at": "2027-03-01T09:00:00Z"}, "expires_at", datetime(2027, 3, 1, 9, tzinfo=UTC)),
    ],
)
def test_an_entry_is_read(change, name, value):
    entry, errors = parse({**GOOD, **change})
    assert errors == ()
    assert getattr(entry, name) == value


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"points": 0}, "points"),
        ({"points": True}, "points"),
        ({"points": 1.0}, "points"),
        ({"points": "5"}, "points"),
        ({"points": None}, "points"),
        ({"points": MAX_POINTS + 1}, "points"),
        ({"points": -5, "kind": "earn"}, "points"),
        ({"points": 5, "kind": "redeem"}, "points"),
        ({"kind": "expire"}, "kind"),
        ({"kind": 5}, "kind"),
        ({"external_id": ""}, "external_id"),
        ({"reason": None}, "reason"),
        ({"reason": "x" * 301}, "reason"),
        ({"idempotency_key": "portal:x"}, "idempotency_key"),
        ({"idempotency_key": "  "}, "idempotency_key"),
        ({"occurred_at": "2026-03-01T10:00:00"}, "occurred_at"),
        ({"points": -5, "expires_at": "2027-03-01T09:00:00Z"}, "expires_at"),
        ({"occurred_at": "2026-03-01T10:00:00Z", "expires_at": "2026-03-01T10:00:00Z"}, "expires_at"),
        ({"note": "x"}, "note"),
    ],
)
def test_a_refusal_names_the_field(change, named):
    entry, errors = parse({**GOOD, **change})
    assert entry is None
    assert [error.partition(":")[0] for error in errors] == [named]


def test_everything_missing_is_named():
    _, errors = parse({})
    assert [error.partition(":")[0] for error in errors] == [
        "external_id",
        "points",
        "reason",
        "idempotency_key",
    ]
    assert parse("x")[0] is None


def test_a_clock_may_be_five_minutes_fast():
    now = datetime(2026, 3, 1, tzinfo=UTC)
    entry = EntryInput("1", 1, "x", "k", occurred_at=now + timedelta(minutes=5))
    assert future_errors(entry, now=now) == ()
    assert future_errors(entry, now=now - timedelta(seconds=1)) != ()
    assert future_errors(EntryInput("1", 1, "x", "k"), now=now) == ()


def test_an_entry_made_without_parsing_is_checked_all_the_same():
    assert sign_errors(EntryInput("1", 1, "x", "k", kind="gift")) == (
        "kind: must be one of earn, redeem, adjust.",
    )


def test_the_fingerprint_is_of_everything_that_was_told():
    base = EntryInput("1", 1, "x", "k")
    others = [
        EntryInput("2", 1, "x", "k"), EntryInput("1", 2, "x", "k"), EntryInput("1", 1, "y", "k"),
        EntryInput("1", 1, "x", "k", kind="adjust"), EntryInput("1", 1, "x", "k", order_ref="1"),
        EntryInput("1", 1, "x", "k", occurred_at=datetime(2026, 1, 1, tzinfo=UTC)),
        EntryInput("1", 1, "x", "k", expires_at=datetime(2026, 1, 1, tzinfo=UTC)),
    ]  # fmt: skip
    assert len({entry.fingerprint() for entry in [base, *others]}) == 8
    assert EntryInput("1", 1, "x", "k", kind="earn").fingerprint() == base.fingerprint()
