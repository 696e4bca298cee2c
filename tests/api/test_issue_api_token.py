"""The command prints the token and nothing else."""

import pytest
from django.core.management import CommandError, call_command

from portal.tenancy import tokens
from portal.tenancy.models import ApiToken

pytestmark = pytest.mark.django_db


def test_it_prints_the_token_and_nothing_else(tenant, capsys):
    call_command("issue_api_token", "acme", "till")
    text = capsys.readouterr().out
    assert text.endswith("\n") and text.count("\n") == 1
    found = tokens.find(text.strip())
    assert found is not None and (found.tenant, found.name) == (tenant, "till")


@pytest.mark.parametrize(
    ("slug", "name", "words"), [("nobody", "x", "Known tenants: acme"), ("acme", " ", "1 to 100")]
)
def test_wrong_use_ends_with_2_and_a_sentence(tenant, slug, name, words):
    with pytest.raises(CommandError, match=words) as error:
        call_command("issue_api_token", slug, name)
    assert error.value.returncode == 2
    assert not ApiToken.objects.exists()
