from urllib.parse import parse_qsl, unquote

import pytest

from integrations.klaviyo import filters


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        ("ana@acme.io", '"ana@acme.io"'),
        ("ana+vip@acme.io", '"ana+vip@acme.io"'),
        ("Gold Members", '"Gold Members"'),
        ('say "hi"', '"say \\"hi\\""'),
        ("back\\slash", '"back\\\\slash"'),
        ("a,b)", '"a,b)"'),
    ],
)
def test_values_are_quoted_and_escaped(value: str, literal: str) -> None:
    assert filters.equals("email", value) == f"equals(email,{literal})"
    assert filters.any_of("email", [value, "b"]) == f'any(email,[{literal},"b"])'


def test_a_query_encodes_all_that_could_be_misread() -> None:
    text = filters.query(("filter", filters.equals("email", "ana+vip@acme.io")), ("page[size]", "100"))
    assert "+" not in text and "%2B" in text
    assert parse_qsl(text) == [("filter", 'equals(email,"ana+vip@acme.io")'), ("page[size]", "100")]


def test_groups_keep_order_and_both_limits() -> None:
    values = [f"member+{number}@acme.io" for number in range(250)]
    groups = filters.split("email", values, most=100, most_bytes=2_000)
    assert [value for group in groups for value in group] == values
    assert all(len(filters.query(("f", filters.any_of("email", group)))) <= 2_002 for group in groups)
    assert [len(group) for group in filters.split("id", values, most=100, most_bytes=10**6)] == [100, 100, 50]


def test_a_value_longer_than_the_limit_goes_alone() -> None:
    long = "x" * 500
    assert filters.split("id", ["a", long, "b"], most=100, most_bytes=100) == [["a"], [long], ["b"]]


def test_no_values_make_no_groups() -> None:
    assert filters.split("id", [], most=100, most_bytes=100) == []
    assert unquote(filters.query()) == ""
