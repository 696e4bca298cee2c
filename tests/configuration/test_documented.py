"""docs/configuration.md is complete, and its example can be applied."""

import re

import pytest
from django.conf import settings

from integrations.configuration import checking, reading
from loyalty.field_list import STATIC
from loyalty.rules.condition_values import OPERATORS
from loyalty.rules.event_kinds import KINDS
from tests.configuration.files import ENVIRONMENT

TEXT = (settings.BASE_DIR / "docs" / "configuration.md").read_text()


@pytest.mark.parametrize("name", [*OPERATORS, *KINDS, *(field.key for field in STATIC)])
def test_every_operator_kind_and_field_is_named(name):
    assert f"`{name}`" in TEXT


def test_the_example_has_no_problem():
    example = re.findall(r"```yaml\n(tenant:.*?)```", TEXT, re.DOTALL)[0]
    wanted = checking.check(reading.read(example, ENVIRONMENT))
    assert [len(part) for part in (wanted.users, wanted.tiers, wanted.audiences, wanted.extensions)] == [
        2,
        2,
        2,
        1,
    ]
