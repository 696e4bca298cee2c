from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from loyalty.rules import posting_plan
from loyalty.rules.ledger_entries import MAX_POINTS, EntryInput
from loyalty.rules.lots import Lot, Purse
from loyalty.rules.posting_plan import Account, Ids, Known

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def plan(entries, accounts, known=None):
    return posting_plan.post(
        entries,
        {account.external_id: account for account in accounts},
        known or {},
        Ids(count(1), count(1)),
        now=NOW,
    )


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(-40, 40).filter(bool)), max_size=20))
def test_balances_are_never_negative_and_always_what_lots_hold(told):
    accounts = [Account(1, "a", 0, 0), Account(2, "b", 0, 0)]
    outcomes, postings = plan(
        [EntryInput(who, points, "x", str(n)) for n, (who, points) in enumerate(told)], accounts
    )
    assert len(outcomes) == len(told)
    for account in accounts:
        mine = [posting for posting in postings if posting.member_id == account.member_id]
        assert account.balance == account.purse.total == sum(posting.points for posting in mine) >= 0
        assert account.lifetime == sum(posting.points for posting in mine if posting.points > 0)
        running = 0
        for posting in mine:
            running += posting.points
            assert posting.balance == running >= 0
    assert all(outcome.errors or outcome.known for outcome in outcomes)


def test_a_balance_cannot_outgrow_what_json_can_say():
    account = Account(1, "a", MAX_POINTS, MAX_POINTS)
    outcomes, postings = plan([EntryInput("a", 1, "x", "k")], [account])
    assert "cannot grow" in outcomes[0].errors[0]
    assert not postings


def test_several_reasons_are_all_told():
    outcomes, _ = plan([EntryInput("nobody", -1, "x", "k", kind="earn")], [])
    assert len(outcomes[0].errors) == 2


def test_a_known_key_repeats_or_clashes():
    entry = EntryInput("a", 5, "x", "k")
    account = Account(1, "a", 0, 0)
    outcomes, _ = plan(
        [entry, EntryInput("a", 6, "x", "k")], [account], {"k": Known(9, entry.fingerprint(), 70)}
    )
    assert outcomes[0].is_repeated
    assert outcomes[0].known.balance == 70
    assert outcomes[1].errors
    assert account.balance == 0


def test_activity_is_the_latest_and_an_adjustment_is_none():
    early = NOW - timedelta(days=3)
    account = Account(1, "a", 0, 0, last_activity_at=NOW - timedelta(days=1))
    plan(
        [EntryInput("a", 5, "x", "k", occurred_at=early), EntryInput("a", 5, "x", "l", kind="adjust")],
        [account],
    )
    assert account.last_activity_at == NOW - timedelta(days=1)


def test_each_expired_lot_is_an_entry_of_its_own():
    account = Account(1, "a", 12, 12, purse=Purse([Lot(7, 5, NOW), Lot(8, 4, NOW), Lot(9, 3)]))
    postings = posting_plan.expire(account, Ids(count(1), count(1)), now=NOW)
    assert [(p.key, p.points, p.balance) for p in postings] == [
        ("portal:expire:7", -5, 7),
        ("portal:expire:8", -4, 3),
    ]
    assert account.balance == account.purse.total == 3
