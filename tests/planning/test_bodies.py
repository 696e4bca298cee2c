"""Which row a refusal means, and what stays of the body."""

import pytest

from integrations.errors import Refusal
from integrations.planning.manifest import Row
from integrations.services import bodies


def rows():
    return [
        Row(1, external_id="M-1", email="a@acme.test", phone="+441"),
        Row(2, external_id="M-2", email="b@acme.test", phone=""),
        Row(3, external_id="M-3", email="", phone="+443"),
    ]


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        (Refusal("", "", 1), 1),
        (Refusal("", "", 0), 0),
        (Refusal("", "", 3), None),
        (Refusal("", "", -1), None),
        (Refusal("", ""), None),
        (Refusal("", "", identifiers=("m-2",)), 1),
        (Refusal("", "", identifiers=("B@Acme.test",)), 1),
        (Refusal("", "", identifiers=("+443",)), 2),
        (Refusal("", "", 0, ("M-3",)), 2),
        (Refusal("", "", 2, ("nobody",)), 2),
        (Refusal("", "", identifiers=("nobody", "M-1")), 0),
        (Refusal("", "", identifiers=("",)), None),
    ],
)
def test_a_refusal_is_tied_to_its_row_by_name_before_place(refusal, expected):
    assert bodies.index_of(rows(), refusal) == expected


def test_named_rows_are_set_aside_and_the_others_stay():
    all_rows = rows()
    all_rows[0].hold("held", "held before")  # has no line in the body
    rest = bodies.set_aside(all_rows, [b"2", b"3"], [Refusal("bad", "Bad.", 0)])
    assert rest == [b"3"]
    assert [row.verdict for row in all_rows] == ["held", "rejected", ""]


def test_a_row_named_twice_is_set_aside_once():
    all_rows = rows()
    rest = bodies.set_aside(
        all_rows, [b"1", b"2", b"3"], [Refusal("", "", 1), Refusal("", "", None, ("M-2",))]
    )
    assert rest == [b"1", b"3"]


def test_nobody_named_is_said_so():
    all_rows = rows()
    assert bodies.set_aside(all_rows, [b"1", b"2", b"3"], []) is None
    assert bodies.set_aside(all_rows, [b"1", b"2", b"3"], [Refusal("", "", 9)]) is None
    assert all(row.is_pending for row in all_rows)
