"""What a batch carries, stored and read again."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.planning import manifest
from integrations.planning.manifest import Row

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.text(max_size=5)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
DOCUMENTS = st.one_of(st.none(), st.dictionaries(st.text(max_size=5), JSON, max_size=3))
TEXTS = st.text(max_size=8)
ROWS = st.builds(
    Row,
    member_id=st.integers(1, 2**62),
    document=DOCUMENTS,
    kept=DOCUMENTS,
    changes=DOCUMENTS,
    **dict.fromkeys(["action", "verdict", "code", "words", "what", "remote_id", "email", "phone"], TEXTS),
    external_id=TEXTS,
    created_by_us=st.one_of(st.none(), st.booleans()),
    delivery_id=st.one_of(st.none(), st.integers(1, 2**62)),
    keeps_payload=st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(ROWS, max_size=5))
def test_what_is_loaded_is_what_was_dumped(rows):
    data = manifest.dump(rows)
    assert [dataclasses.asdict(row) for row in manifest.load(data)] == [
        dataclasses.asdict(row) for row in rows
    ]
    assert manifest.load(memoryview(data)) == rows


def test_no_data_gives_no_rows():
    assert manifest.load(None) == manifest.load(b"") == []


def test_defaults_take_no_room():
    small = len(manifest.dump([Row(member_id=number) for number in range(1000)]))
    assert small < 4_000


@pytest.mark.parametrize(("verb", "verdict"), [("refuse", "rejected"), ("fail", "failed"), ("hold", "held")])
def test_a_row_gets_its_verdict_with_words_that_fit(verb, verdict):
    row = Row(member_id=1)
    assert row.is_pending
    getattr(row, verb)("code", "w" * 600)
    assert (row.verdict, row.code, len(row.words), row.is_pending) == (verdict, "code", 500, False)
