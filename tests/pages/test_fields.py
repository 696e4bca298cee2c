import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from integrations.models import Extension, FieldMapping, RetiredProperty, SentProfile
from loyalty.fields import STANDARD_PROPERTIES
from tests.factories import make_member, make_tenant, make_user
from tests.fakes import Remote
from tests.services.conftest import fake, remote

pytestmark = pytest.mark.django_db
__all__ = ["fake", "remote"]  # fixtures
ADDRESS = "/t/acme/fields/"


@pytest.fixture
def extension(fake):
    from tests.pages.builders import make_extension

    return make_extension(make_tenant("acme"), destination="fake", name="Fake", account_id="A", secret="key")


@pytest.fixture
def manager(client, extension):
    client.force_login(make_user(extension.tenant, role="manager"))
    return client


def mapped(extension, field="points_balance", name="Points Balance", **more):
    return FieldMapping.objects.create(extension=extension, field=field, property=name, **more)


def there(remote: Remote, extension: Extension, member, sent: dict, now: dict, **more) -> SentProfile:
    """A member who is in the destination, with what we sent and what is there now."""
    pk = f"P{member.pk}"
    remote.profiles[pk] = {"values": {"external_id": member.external_id}, "properties": now}
    payload = {"external_id": member.external_id, "properties": sent}
    return SentProfile.objects.create(
        extension=extension, member=member, payload=payload, remote_id=pk, **more
    )


def text(answer) -> str:
    return " ".join(answer.content.decode().split())


def send(client, address, data, **more):
    return text(client.post(address, data, follow=True, **more))


# The page ------------------------------------------------------------------------------------------


def test_each_mapping_is_told_with_a_value_of_a_real_member(manager, extension):
    make_member(
        extension.tenant,
        first_name="Ada",
        last_name="Byron",
        points_balance=1240,
        state="member",
        city="London",
    )
    mapped(extension, policy="max")
    page = text(manager.get(ADDRESS))
    assert "Points balance" in page and "1,240" in page and "For Ada Byron" in page
    assert "The larger value wins" in page and "number" in page and "Not sent yet" in page
    assert "London" in page and "Always ours" in page


def test_what_has_arrived_says_so(manager, extension, remote):
    there(remote, extension, make_member(extension.tenant, state="member"), {"Points Balance": 1}, {})
    mapped(extension)
    assert "Arrives" in text(manager.get(ADDRESS))


def test_nothing_mapped_offers_the_standard_set(manager, extension):
    assert "Map the standard set" in text(manager.get(ADDRESS))
    assert "9 properties are mapped." in send(manager, f"{ADDRESS}standard/", {})
    found = FieldMapping.objects.filter(extension=extension).values_list("field", "property")
    assert set(found) == set(STANDARD_PROPERTIES)
    extension.refresh_from_db()
    assert extension.full_due_reason == "The standard properties were mapped"
    assert "All were mapped" in send(manager, f"{ADDRESS}standard/", {})


def test_without_a_connection_the_way_to_one_is_shown(client, fake):
    tenant = make_tenant("acme")
    client.force_login(make_user(tenant, role="manager"))
    for address in (ADDRESS, f"{ADDRESS}new/"):
        assert "No connection yet" in text(client.get(address))


def test_of_several_connections_one_is_chosen(manager, extension):
    from tests.pages.builders import make_extension

    other = make_extension(extension.tenant, destination="fake", name="Second", is_active=False)
    mapped(other, name="Other Points")
    assert "Other Points" not in text(manager.get(ADDRESS))
    assert "Other Points" in text(manager.get(ADDRESS, {"connection": other.pk}))


def test_a_connection_of_somebody_else_is_not_found(manager, extension):
    from tests.pages.builders import make_extension

    other = make_extension(make_tenant("other"), destination="fake", name="Theirs")
    mapping = mapped(other)
    for address in (ADDRESS, f"{ADDRESS}new/", f"{ADDRESS}samples/"):
        assert manager.get(address, {"connection": other.pk}).status_code == 404
    for address in (f"{ADDRESS}keep/", f"{ADDRESS}standard/"):
        assert manager.post(f"{address}?connection={other.pk}").status_code == 404
    for address in (f"{ADDRESS}{mapping.pk}/", f"{ADDRESS}{mapping.pk}/remove/"):
        assert manager.get(address).status_code == 404
        assert manager.post(address, {"old": "clear"}).status_code == 404
    assert FieldMapping.objects.filter(pk=mapping.pk).exists()


def test_a_viewer_sees_and_changes_nothing(client, extension):
    client.force_login(make_user(extension.tenant, role="viewer"))
    mapping = mapped(extension)
    page = text(client.get(ADDRESS))
    assert "Points Balance" in page and "Remove" not in page and "Map a field" not in page
    for address in ("new/", f"{mapping.pk}/", f"{mapping.pk}/remove/", "keep/", "standard/"):
        assert client.post(ADDRESS + address).status_code == 403


def test_ten_mappings_ask_no_more_than_one(manager, extension):
    for _ in range(3):
        make_member(extension.tenant, state="member")

    def asked() -> int:
        manager.get(ADDRESS)
        with CaptureQueriesContext(connection) as found:
            manager.get(ADDRESS)
        return len(found)

    mapped(extension)
    few = asked()
    for number in range(9):
        mapped(extension, name=f"P{number}")
    assert asked() == few


# Mapping -------------------------------------------------------------------------------------------


def test_a_field_is_mapped_and_everybody_is_compared(manager, extension):
    given = {"field": "tier_name", "property": "VIP Tier", "policy": "fill_empty"}
    page = send(manager, f"{ADDRESS}new/", given)
    assert "“VIP Tier” is mapped. Every member is compared now" in page
    mapping = FieldMapping.objects.get()
    assert (mapping.field, mapping.property, mapping.policy) == ("tier_name", "VIP Tier", "fill_empty")
    extension.refresh_from_db()
    assert extension.full_due_at and extension.full_due_reason == "Property VIP Tier was mapped"


def test_left_empty_the_name_is_the_usual_one_behind_the_prefix(manager, extension):
    Extension.objects.update(property_prefix="Acme ")
    assert 'data-name="Acme VIP Tier"' in text(manager.get(f"{ADDRESS}new/"))
    send(manager, f"{ADDRESS}new/", {"field": "tier_name", "property": ""})
    send(manager, f"{ADDRESS}new/", {"field": "city", "property": ""})
    assert set(FieldMapping.objects.values_list("property", flat=True)) == {"Acme VIP Tier", "Acme City"}


def test_an_attribute_of_ones_own_is_on_offer(manager, extension):
    make_member(extension.tenant, attributes={"shoe_size": 42})
    assert 'value="attributes.shoe_size"' in text(manager.get(f"{ADDRESS}new/"))
    send(manager, f"{ADDRESS}new/", {"field": "attributes.shoe_size", "property": "Shoe Size"})
    assert FieldMapping.objects.get().field == "attributes.shoe_size"


@pytest.mark.parametrize(
    ("field", "name", "words"),
    [
        ("city", "Points Balance", "is filled already"),
        ("city", "points balance", "differs from “Points Balance” in capitals only"),
        ("city", "$city", "$"),
        ("city", "first_name", "standard attribute"),
        ("city", "Email", "standard attribute"),
        ("city", "Phone Number", "standard attribute"),
        ("city", "x" * 121, "at most 120"),
        ("shoe", "Shoe", "Select a valid choice"),
        ("", "Shoe", "Choose a field."),
    ],
)
def test_what_clashes_is_refused_in_the_form(manager, extension, field, name, words):
    mapped(extension)
    page = send(manager, f"{ADDRESS}new/", {"field": field, "property": name})
    assert words in page and 'role="alert"' in page
    assert FieldMapping.objects.count() == 1


def test_what_is_being_cleared_asks_first(manager, extension):
    RetiredProperty.objects.create(extension=extension, property="Tier")
    given = {"field": "tier_name", "property": "Tier"}
    assert "is being cleared now" in send(manager, f"{ADDRESS}new/", given)
    assert not FieldMapping.objects.exists()
    assert "is mapped" in send(manager, f"{ADDRESS}new/", given | {"again": "on"})
    assert not RetiredProperty.objects.exists()


# Changing and removing -----------------------------------------------------------------------------


def test_a_rename_says_how_many_have_the_old_one_and_clears_it(manager, extension, remote):
    mapping = mapped(extension)
    for _ in range(3):
        there(remote, extension, make_member(extension.tenant), {"Points Balance": 1}, {})
    there(remote, extension, make_member(extension.tenant), {"Other": 1}, {})
    address = f"{ADDRESS}{mapping.pk}/"
    assert "off the 3 profiles to which we sent it" in text(manager.get(address))
    given = {"field": "points_balance", "property": "Balance", "policy": "", "old": "clear"}
    page = send(manager, address, given)
    assert "“Balance” is changed." in page and "0 of 3 cleared" in page and "Stop clearing" in page
    assert RetiredProperty.objects.get().property == "Points Balance"


def test_a_rename_that_leaves_retires_nothing(manager, extension):
    mapping = mapped(extension)
    send(manager, f"{ADDRESS}{mapping.pk}/", {"field": "points_balance", "property": "Balance"})
    assert FieldMapping.objects.get().property == "Balance" and not RetiredProperty.objects.exists()


def test_a_policy_alone_is_changed(manager, extension):
    mapping = mapped(extension)
    given = {"field": "points_balance", "property": "Points Balance", "policy": "max", "old": "clear"}
    send(manager, f"{ADDRESS}{mapping.pk}/", given)
    assert FieldMapping.objects.get().policy == "max" and not RetiredProperty.objects.exists()


def test_another_type_under_the_same_name_is_warned_of(manager, extension):
    mapping = mapped(extension)
    words = "was number and becomes text"
    asked = {"field": "tier_name", "mapping": mapping.pk}
    assert words in text(manager.get(f"{ADDRESS}samples/", asked))
    assert words not in text(manager.get(f"{ADDRESS}samples/", asked | {"field": "points_lifetime"}))
    page = send(manager, f"{ADDRESS}{mapping.pk}/", {"field": "tier_name", "property": "Points Balance"})
    assert words in page


def test_a_field_that_nobody_has_any_more_can_still_be_edited(manager, extension):
    mapping = mapped(extension, field="attributes.gone", name="Gone")
    assert 'value="attributes.gone" ' in text(manager.get(f"{ADDRESS}{mapping.pk}/"))
    given = {"field": "attributes.gone", "property": "Gone", "policy": "max"}
    assert "is changed" in send(manager, f"{ADDRESS}{mapping.pk}/", given)


def test_removed_with_its_values_left_there_is_an_undo(manager, extension):
    mapping = mapped(extension, policy="max")
    page = send(manager, f"{ADDRESS}{mapping.pk}/remove/", {"old": "leave"})
    assert "is mapped no more" in page and "stay as they are" in page and "Undo" in page
    assert not FieldMapping.objects.exists() and not RetiredProperty.objects.exists()
    assert "Undo" not in text(manager.get(ADDRESS))
    undo = {"field": "points_balance", "property": "Points Balance", "policy": "max", "again": "on"}
    send(manager, f"{ADDRESS}new/?connection={extension.pk}", undo)
    assert FieldMapping.objects.get().policy == "max"


def test_removed_with_its_values_cleared_everybody_is_due(manager, extension):
    mapping = mapped(extension)
    page = send(manager, f"{ADDRESS}{mapping.pk}/remove/", {"old": "clear"})
    assert "are being cleared" in page
    extension.refresh_from_db()
    assert extension.full_due_reason == "Property Points Balance is being cleared"


@pytest.mark.parametrize(
    ("policy", "words"),
    [("", "also where somebody changed it"), ("max", "Only values that are still the ones we sent")],
)
def test_what_clearing_takes_away_is_said(manager, extension, remote, policy, words):
    mapping = mapped(extension, policy=policy)
    there(remote, extension, make_member(extension.tenant), {"Points Balance": 1}, {})
    assert words in text(manager.get(f"{ADDRESS}{mapping.pk}/remove/"))


def test_the_clearing_is_stopped(manager, extension):
    RetiredProperty.objects.create(extension=extension, property="Tier")
    assert "What is there now stays" in send(manager, f"{ADDRESS}keep/", {"property": "Tier"})
    assert not RetiredProperty.objects.exists()
    assert "was not being cleared" in send(manager, f"{ADDRESS}keep/", {"property": "Tier"})


# Examples ------------------------------------------------------------------------------------------


def test_choosing_a_field_shows_its_type_and_three_members_without_a_call(manager, extension, remote):
    for number in range(5):
        make_member(extension.tenant, f"M-{number}", points_balance=number, state="member")
    page = text(manager.get(f"{ADDRESS}samples/", {"field": "points_balance"}))
    assert "number" in page and page.count("<dt>M-") == 3
    assert remote.calls == []


def read(manager, field="points_balance", name="Points"):
    return text(manager.get(f"{ADDRESS}samples/", {"read": "1", "field": field, "property": name}))


def test_the_pages_call_nobody_and_the_comparison_calls_once(manager, extension, remote):
    mapping = mapped(extension)
    for number in range(8):
        member = make_member(extension.tenant, points_balance=number + 10)
        there(remote, extension, member, {"Points": 1}, {"Points": 1})
    manager.get(f"{ADDRESS}{mapping.pk}/")
    manager.get(f"{ADDRESS}new/")
    assert remote.calls == []
    read(manager)
    ((method, (by, ids)),) = remote.calls
    assert (method, by, len(ids)) == ("read_profiles", "remote_id", 5)


@pytest.mark.parametrize(
    ("ours", "sent", "now", "expected"),
    [
        # as the connection (ours) · fill · keep theirs · larger
        (
            150,
            120,
            120,
            ["overwrites 120 → 150", "overwrites 120 → 150", "stays 120", "overwrites 120 → 150"],
        ),
        (150, 120, 130, ["overwrites 130 → 150", "stays 130", "stays 130", "overwrites 130 → 150"]),
        (150, 150, 200, ["overwrites 200 → 150", "stays 200", "stays 200", "stays 200"]),
        (150, None, None, ["fills in 150"] * 4),
        (150, 150, 150, ["no change"] * 4),
    ],
)
def test_what_each_policy_would_leave(manager, extension, remote, ours, sent, now, expected):
    member = make_member(extension.tenant, points_balance=ours)
    given = [{} if value is None else {"Points": value} for value in (sent, now)]
    there(remote, extension, member, *given)
    page = read(manager)
    cells = [part.split("</td>")[0].split(">", 1)[1] for part in page.split('<td data-label="')[3:]]
    assert cells == expected
    assert 'Ours always wins<span class="under">as the connection' in page


def test_a_value_that_is_unknown_here_is_taken_away(manager, extension, remote):
    there(remote, extension, make_member(extension.tenant), {"Note": "a"}, {"Note": "a"})
    page = read(manager, "city", "Note")
    assert page.count("takes a away") == 3 and page.count("stays a") == 1


def test_profiles_that_are_left_alone_say_so(manager, extension, remote):
    Extension.objects.update(merge_policy="skip_existing")
    there(remote, extension, make_member(extension.tenant), {}, {"Points": 4}, created_by_us=False)
    assert read(manager).count("the profile was there before us") == 4


def test_a_profile_that_is_gone_there_says_so(manager, extension, remote):
    sent = there(remote, extension, make_member(extension.tenant), {}, {})
    del remote.profiles[sent.remote_id]
    assert "Not in Fake" in read(manager)


def test_unreachable_it_says_why_and_shows_our_side(manager, extension, remote):
    from integrations.errors import Temporary

    there(remote, extension, make_member(extension.tenant, points_balance=7, state="member"), {}, {})
    remote.fail("read_profiles", Temporary("The destination does not answer."))
    page = read(manager)
    assert "The destination does not answer." in page and ">7<" in page and "Fill only" not in page


def test_nobody_there_yet_says_so(manager, extension):
    make_member(extension.tenant)
    assert "None of your members is in" in read(manager)
    assert "Choose a field first" in read(manager, "")
