"""Tags are Django's template language with Klaviyo's `lookup`: each must show the value it names."""

import pytest
from django.template import Context, Engine

from integrations.gateway.values import STANDARD_KEYS
from integrations.klaviyo.destination import Klaviyo


def show(tag: str, **values: object) -> str:
    engine = Engine(autoescape=False, builtins=["tests.klaviyo.template_language"])
    return engine.from_string(tag).render(Context(values))


@pytest.mark.parametrize(
    "name",
    [
        "Points Balance",
        "tier",
        "Ann's Points",
        'The "best" tier',
        'Ann\'s "best" tier',
        "C:\\Tier",
        "ends\\",
        "Mitgliedsstufe €",
        "a|b:c %} {# x #}",
        "loyalty.points",
        "}",
    ],
)
def test_a_tag_shows_what_stands_under_the_name(name: str) -> None:
    Klaviyo().validate_property(name)
    assert show(Klaviyo().property_tag(name), person={name: "1240"}) == "1240"
    assert show(Klaviyo().event_tag([name]), event={name: "1240"}) == "1240"


def test_a_tag_reaches_what_lies_deeper() -> None:
    event = {"Items": [{"Product Name": "Mug"}]}
    assert show(Klaviyo().event_tag(["Items", "0", "Product Name"]), event=event) == "Mug"


def test_a_missing_value_shows_nothing_and_takes_a_default() -> None:
    tag = Klaviyo().property_tag("VIP Tier")
    assert show(tag, person={}) == ""
    assert show(tag.replace(" }}", "|default:'our programme' }}"), person={}) == "our programme"


def test_usual_names_stand_in_single_quotes_as_klaviyo_writes_them() -> None:
    assert Klaviyo().property_tag("Points Balance") == "{{ person|lookup:'Points Balance' }}"
    assert Klaviyo().event_tag(["Order Id"]) == "{{ event|lookup:'Order Id' }}"


@pytest.mark.parametrize("key", STANDARD_KEYS)
def test_every_standard_attribute_has_a_tag_that_can_be_rendered(key: str) -> None:
    tag = Klaviyo().standard_tag(key)
    assert tag.startswith("{{ ") and show(tag) == ""


def test_the_example_in_the_help_can_be_pasted() -> None:
    help = " ".join(Klaviyo().tag_help)
    example = help[help.index("{{") : help.index("}}") + 2]
    assert show(example, person={"VIP Tier": "Gold"}) == "Gold"
    assert show(example, person={}) == "our programme"
