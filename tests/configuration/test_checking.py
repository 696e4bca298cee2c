"""Every problem of a file at once, each with its path; nothing is written."""

import pytest

from integrations.configuration.problems import ConfigProblems
from portal.tenancy.models import Tenant, User
from tests.configuration.files import ACME, ENVIRONMENT, apply

pytestmark = pytest.mark.django_db


def problems(text, environment=ENVIRONMENT):
    with pytest.raises(ConfigProblems) as caught:
        apply(text, environment=environment)
    assert not Tenant.objects.exists()
    assert not User.objects.exists()
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (
            "merge_policy:",
            "merge_polcy:",
            "extensions[0].merge_polcy: means nothing here. Did you mean “merge_policy”?",
        ),
        ("tiers:", "teirs:", "teirs: means nothing here. Did you mean “tiers”?"),
        ("merge_policy: overwrite", "merge_policy: overwrit", "Did you mean “overwrite”?"),
        ("policy: fill_empty", "policy: skip_existing", "extensions[0].fields[1].policy: must be one of"),
        ("destination: klaviyo", "destination: klavio", "extensions[0].destination: must be one of klaviyo."),
        ("role: owner", "role: boss", "users[0].role: must be one of owner, manager, viewer."),
        ("slug: acme,", "slug: Acme Coffee,", "tenant.slug: "),
        ("Europe/London", "Europe/Londn", "tenant.timezone: “Europe/Londn” is not a time zone."),
        ("currency: GBP", "currency: gbp", "tenant.currency: Use three capitals"),
        ("owner@acme.example", "owner", "users[0].email: Enter a valid email address."),
        ("threshold: 1000", "threshold: -1", "tiers[0].threshold: must be a whole number from 0"),
        ("threshold: 1000", "threshold: '1000'", "tiers[0].threshold: must be a whole number"),
        (
            "threshold: 1000}",
            "threshold: 5}\n  - {slug: tin, threshold: 5}",
            "tiers: tin: has the same threshold 5",
        ),
        ("field: tier_slug", "field: tier_slgu", "audiences[0].rule.all[0]: “tier_slgu” is not a field"),
        ("op: at_least", "op: atleast", "audiences[0].rule.all[1]: op must be one of"),
        (
            "static: true",
            "static: true, rule: {field: email, op: is_set}",
            "audiences[1].static: an audience is either",
        ),
        ("static: true", "static: false", "audiences[1].rule: is missing."),
        (
            "field: points_balance, property",
            "field: points_balanc, property",
            "extensions[0].fields[0].field: “points_balanc”",
        ),
        (
            "property: Points Balance",
            "property: $email",
            "extensions[0].fields[0].property: “$email” begins with $",
        ),
        (
            "property: VIP Tier",
            "property: Points Balance",
            "extensions[0].fields[1].property: is the same as extensions[0].fields[0].property",
        ),
        (
            "audience: gold-members",
            "audience: gold",
            "extensions[0].lists[0].audience: there is no audience “gold”",
        ),
        (
            "points_earned:",
            "points_earnd:",
            "extensions[0].events.points_earnd: means nothing here. Did you mean “points_earned”?",
        ),
        ("active: true", "active: yes", "extensions[0].active: must be true or false."),
        (
            "active: true",
            "active: true\n    base_url: https://evil.example",
            "extensions[0].base_url: evil.example is not a host of Klaviyo",
        ),
        (
            "active: true",
            "active: true\n    base_url: ftp://x",
            "extensions[0].base_url: must be a web address",
        ),
        (
            "active: true",
            "active: true\n    throttle_share: 0",
            "extensions[0].throttle_share: must be a whole number from 1 to 100.",
        ),
        ("name: Gold,", "name: 5,", "tiers[0].name: must be text: put it in quotes."),
        (
            "tenant: {slug: acme, name: Acme Coffee, timezone: Europe/London, currency: GBP}",
            "",
            "tenant: is missing",
        ),
        ("{audience: gold-members,", "{audience: [a],", "extensions[0].lists[0].audience: must be text."),
        ("    lists:\n      - {", "    lists: {", "extensions[0].lists: must be a list."),
    ],
)
def test_a_problem_is_told_with_its_path(before, after, told):
    assert before in ACME
    found = problems(ACME.replace(before, after, 1))
    assert any(told in sentence for sentence in found), found


def test_all_problems_are_told_at_once():
    text = ACME.replace("role: owner", "role: boss").replace("op: at_least", "op: atleast")
    found = problems(text.replace("fill_empty", "fill"))
    assert len(found) == 3
    assert found[0].startswith("line 3, users[0].role: ")


def test_a_variable_that_is_not_set_is_told_once_beside_the_rest():
    found = problems(
        ACME.replace("role: owner", "role: boss"), {"ACME_OWNER_PASSWORD": "correct-horse-battery"}
    )
    assert [sentence.partition(": ")[0] for sentence in found] == [
        "line 3, users[0].role",
        "line 15, extensions[0].auth.private_key",
    ]
    assert found[1].endswith("the environment variable ACME_KLAVIYO_KEY is not set.")


def test_a_public_key_is_refused_with_its_sentence():
    found = problems(ACME, ENVIRONMENT | {"ACME_KLAVIYO_KEY": "AbC123"})
    assert found[0].startswith("line 15, extensions[0].auth.private_key: “AbC123” is the public API key")


def test_a_weak_password_is_refused_and_not_shown():
    found = problems(ACME, ENVIRONMENT | {"ACME_OWNER_PASSWORD": "hunter2"})
    assert "too short" in found[0]
    assert "hunter2" not in found[0]


def test_a_key_with_a_line_break_is_refused_and_not_shown():
    found = problems(ACME, ENVIRONMENT | {"ACME_KLAVIYO_KEY": "pk_half\npk_other"})
    assert len(found) == 1
    assert "pk_half" not in found[0]


def test_two_active_connections_to_one_destination_are_refused():
    second = "  - {name: Other, destination: klaviyo, active: true}\n"
    assert "extensions[1].active: only one connection to klaviyo can be active" in problems(ACME + second)[0]


def test_a_problem_of_a_rule_names_its_audience():
    found = problems(ACME.replace("op: at_least", "op: atleast"))
    assert found[0].endswith("(audience gold-members).")
