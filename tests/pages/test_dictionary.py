import csv
import io
import re
from html import unescape

import pytest

from integrations.models import AudienceMapping, EventMapping, Extension, FieldMapping
from integrations.planning import desired
from integrations.services import data_dictionary
from loyalty.rules.event_kinds import KINDS
from tests.factories import make_audience, make_member, make_tenant, make_tier, make_user
from tests.pages.builders import make_extension

pytestmark = pytest.mark.django_db
ADDRESS = "/t/acme/dictionary/"


@pytest.fixture
def tenant(client):
    tenant = make_tenant("acme")
    client.force_login(make_user(tenant, role="viewer"))
    return tenant


@pytest.fixture
def extension(tenant):
    return make_extension(tenant)


def field(extension, key="points_balance", name="Points Balance", **more):
    return FieldMapping.objects.create(extension=extension, field=key, property=name, **more)


def page(client, address=ADDRESS, **query) -> str:
    answer = client.get(address, query)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def entry(extension, name):
    (found,) = [one for one in data_dictionary.build(extension).properties if one.name == name]
    return found


def test_it_lists_exactly_what_planning_sends(tenant, extension):
    for key in ("points_balance", "tier_name", "first_name", "birthday", "audiences", "attributes.store"):
        field(extension, key, f"Loyalty {key}")
    member = make_member(
        tenant, tier=make_tier(tenant), points_balance=0, first_name="Ann", last_name="Lee", phone="+447700900123",
        locale="en-GB", address1="1 High Street", address2="Flat 2", city="London", region="London", zip="N1",
        country="GB", timezone="Europe/London", birth_year=1990, birth_month=5, birth_day=17,
        attributes={"store": "Soho"},
    )  # fmt: skip
    extension = Extension.objects.get(pk=extension.pk)
    document, _ = desired.of(extension, [member.pk])[member.pk]
    found = data_dictionary.build(extension)
    assert {one.name for one in found.properties} == document["properties"].keys()
    tags = {
        data_dictionary.registry.get("klaviyo").standard_tag(key) for key in document.keys() - {"properties"}
    }
    assert {one.tag for one in found.attributes} == tags


def test_every_enabled_event_is_listed_with_its_schema(extension):
    EventMapping.objects.create(extension=extension, kind="tier_lost", metric="Tier Lost", is_enabled=False)
    EventMapping.objects.create(extension=extension, kind="points_earned", metric="Acme Points")
    found = {one.told.metric: one.entries for one in data_dictionary.build(extension).events}
    assert found.keys() == {"Acme Points", *(kind.metric for kind in KINDS.values())} - {
        "Points Earned",
        "Tier Lost",
    }
    assert {one.name for one in found["Acme Points"]} == KINDS["points_earned"].sample.keys()


def test_no_event_is_listed_where_all_are_off(client, extension):
    Extension.objects.update(events_enabled=False)
    html = page(client)
    assert "Events are off for this connection" in html and "event|lookup" not in html


def test_a_sample_is_a_members_own_unless_it_is_personal(tenant, extension):
    field(extension)
    field(extension, "first_name", "Given Name")
    make_member(tenant, points_balance=77, first_name="Ann")
    assert (entry(extension, "Points Balance").sample, entry(extension, "Points Balance").is_real) == (
        77,
        True,
    )
    assert (entry(extension, "Given Name").sample, entry(extension, "Given Name").is_real) == ("Ada", False)


def test_a_zero_is_a_sample(tenant, extension):
    field(extension)
    make_member(tenant, points_balance=0)
    assert entry(extension, "Points Balance").sample == 0


def test_without_members_there_are_examples(extension):
    field(extension)
    field(extension, "attributes.store", "Store")
    assert entry(extension, "Points Balance").sample == 1240
    assert entry(extension, "Store").sample is None


def test_who_wins_is_said_for_each_name(extension):
    field(extension, policy="max")
    field(extension, "tier_name", "VIP Tier")
    assert entry(extension, "Points Balance").policy == "The larger value wins"
    assert entry(extension, "VIP Tier").policy == "Ours always wins"
    attributes = {one.name: one.policy for one in data_dictionary.build(extension).attributes}
    assert attributes["First name"] == "Fill only when empty"


def test_a_field_that_is_gone_does_not_break_the_page(client, extension):
    field(extension, "shoe_size", "Shoe Size")
    EventMapping.objects.create(extension=extension, kind="old_kind", metric="Old")
    with pytest.raises(LookupError):
        desired.document(extension)
    assert "not in the catalogue any more" in page(client)


def test_the_page_shows_tags_lists_and_what_blanks_show(client, tenant, extension):
    field(extension)
    AudienceMapping.objects.create(
        extension=extension, audience=make_audience(tenant, "gold"), list_name="VIP"
    )
    html = page(client)
    for words in (
        "{{ person|lookup:'Points Balance' }}",
        "{{ event|lookup:'Order Id' }}",
        "{{ person.phone_number }}",
        "VIP",
        "|default:'our programme'",
        "travels as the text 0",
    ):
        assert words in html
    anchors = set(re.findall(r'href="#([a-z_]+)"', html)) - {"content"}
    assert anchors and all(f'id="{anchor}"' in html for anchor in anchors)


@pytest.mark.parametrize(
    ("asked", "there", "absent"),
    [
        ("points bal", "person|lookup:'Points Balance'", "event|lookup:'Order Id'"),
        ("order id", "event|lookup:'Order Id'", "person|lookup:'Points Balance'"),
        ("TIER ACHIEVED", "event|lookup:'Current Tier'", "event|lookup:'Order Id'"),
        ("nonsense", "No name has “nonsense” in it", "lookup:"),
    ],
)
def test_a_name_is_found_without_scripts(client, extension, asked, there, absent):
    field(extension)
    html = page(client, q=asked)
    assert there in html and absent not in html


def test_the_file_has_every_name_of_the_page(client, tenant, extension):
    field(extension)
    make_member(tenant, points_balance=12345)
    AudienceMapping.objects.create(
        extension=extension, audience=make_audience(tenant, "gold"), list_name="=VIP"
    )
    answer = client.get("/t/acme/dictionary.csv")
    assert answer["Content-Type"].startswith("text/csv") and "attachment" in answer["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode().removeprefix("\ufeff"))))
    (first,) = [row for row in rows if row["name"] == "Points Balance"]
    assert (first["sample"], first["tag"]) == ("12345", "{{ person|lookup:'Points Balance' }}")
    assert sum(row["what"] == "event property" for row in rows) == sum(
        len(kind.fields) for kind in KINDS.values()
    )
    assert rows[-1]["name"] == "'=VIP"


def test_more_members_and_mappings_ask_no_more_queries(client, tenant, extension, count_queries):
    def more():
        make_member(tenant)
        number = FieldMapping.objects.count()
        field(extension, "points_balance", f"Points {number}")
        AudienceMapping.objects.create(
            extension=extension, audience=make_audience(tenant), list_name=f"L{number}"
        )

    assert count_queries(more, ADDRESS)


@pytest.mark.parametrize("address", [ADDRESS, "/t/acme/dictionary.csv"])
def test_another_tenants_names_are_not_shown(client, extension, address):
    other = make_extension(make_tenant("other"))
    field(other, name="Secret Points")
    assert "Secret Points" not in page(client, address)
    assert client.get(address, {"connection": other.pk}).status_code == 404


def test_without_a_connection_the_page_and_the_file_are_empty(client, tenant):
    assert "No connection yet" in page(client)
    assert page(client, "/t/acme/dictionary.csv").count("\n") == 1
