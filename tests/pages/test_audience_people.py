import pytest
from django.utils import timezone

from loyalty.models import Member
from tests.factories import make_audience, make_member, make_tenant, make_tier, make_user

pytestmark = pytest.mark.django_db

RICH = {"all": [{"field": "points_balance", "op": "at_least", "value": 50}]}


@pytest.fixture
def tenant(client):
    tenant = make_tenant("acme")
    client.force_login(make_user(tenant, role="manager"))
    return tenant


@pytest.fixture
def friends(tenant):
    return make_audience(tenant, "friends")


def current(audience):
    return set(audience.memberships.filter(left_at=None).values_list("member__external_id", flat=True))


def change(client, audience, **told):
    return client.post(f"/t/acme/audiences/{audience.pk}/people/change/", told)


def put_in(audience, *members):
    for member in members:
        audience.memberships.create(member=member, joined_at=timezone.now())


# Pasting ---------------------------------------------------------------------------------------------


def test_people_are_pasted_by_address_or_id_with_any_sign_between(client, tenant, friends):
    for number in range(1, 6):
        make_member(tenant, f"shop-{number}")
    told = 'shop-1, SHOP-2@example.com\r\n"shop-3"; shop-4\tshop-5\n\nshop-1'
    answer = change(client, friends, do="add", people=told)
    assert answer.url == f"/t/acme/audiences/{friends.pk}/people/"
    assert current(friends) == {f"shop-{number}" for number in range(1, 6)}


def test_who_is_not_known_or_shared_is_listed_and_the_others_are_in(client, tenant, friends):
    for name in ("a", "b", "c"):
        make_member(tenant, name, email="house@example.com" if name != "c" else "c@example.com")
    make_member(make_tenant("other"), "z", email="z@example.com")
    page = change(client, friends, do="add", people="c\nz@example.com\nz\nhouse@example.com\n<b>")
    text = page.content.decode()
    assert current(friends) == {"c"}
    assert page.context["result"].unknown == ("z@example.com", "z", "<b>")
    assert page.context["result"].shared == ("house@example.com",)
    assert "1 person added." in text and "&lt;b&gt;" in text and "<b>" not in text


def test_who_was_in_already_is_counted(client, tenant, friends):
    put_in(friends, make_member(tenant, "a"))
    make_member(tenant, "b")
    page = change(client, friends, do="add", people="a,b")
    assert "1 person added. 1 was in already." in client.get(page.url).content.decode()


def test_people_are_pasted_to_be_removed(client, tenant, friends):
    put_in(friends, make_member(tenant, "a"), make_member(tenant, "b"))
    make_member(tenant, "c")
    page = change(client, friends, do="remove", people="a\nc")
    assert current(friends) == {"b"} and page.context["result"].not_members == ("c",)


@pytest.mark.parametrize(
    ("told", "words"),
    [("", "Paste at least one"), (" ,\n; ", "Paste at least one"), ("a\0b", "Null characters are not allowed"),
     (",".join(map(str, range(5001))), "5,000 is the most at once")],
    ids=["nothing", "signs", "nul", "too many"],
)  # fmt: skip
def test_what_cannot_be_pasted_is_told_and_kept(client, tenant, friends, told, words):
    page = change(client, friends, do="add", people=told)
    assert words in page.content.decode() and current(friends) == set()


def test_five_thousand_are_looked_up_together(client, tenant, friends, django_assert_max_num_queries):
    Member.objects.bulk_create(
        Member(tenant=tenant, external_id=f"n-{number}", email=f"n{number}@example.com")
        for number in range(5000)
    )
    told = "\n".join(f"n{number}@example.com" for number in range(5000))
    with django_assert_max_num_queries(30):
        change(client, friends, do="add", people=told)
    assert len(current(friends)) == 5000


# Choosing ---------------------------------------------------------------------------------------------


def test_one_person_is_found_and_added(client, tenant, friends):
    ada, _ = make_member(tenant, first_name="Ada"), make_member(tenant, first_name="Ben")
    page = client.get(f"/t/acme/audiences/{friends.pk}/people/", {"find": "ada"})
    assert page.context["offered"] == [(ada, False)]
    change(client, friends, do="add", member=ada.pk)
    assert current(friends) == {ada.external_id}


def test_chosen_people_are_removed(client, tenant, friends):
    members = [make_member(tenant) for _ in range(3)]
    put_in(friends, *members)
    change(client, friends, do="remove", member=[member.pk for member in members[:2]])
    assert current(friends) == {members[2].external_id}


@pytest.mark.parametrize("key", ["x", "9" * 30, "-1"])
def test_a_key_that_is_none_changes_nothing(client, tenant, friends, key):
    assert change(client, friends, do="add", member=key).status_code == 302
    assert current(friends) == set()


def test_a_member_of_another_tenant_is_not_put_in(client, tenant, friends):
    change(client, friends, do="add", member=make_member(make_tenant("other")).pk)
    assert current(friends) == set()


def test_an_audience_by_rule_takes_nobody_by_hand(client, tenant):
    audience = make_audience(tenant, rule=RICH)
    make_member(tenant, "a")
    assert change(client, audience, do="add", people="a").status_code == 404
    assert "Paste many" not in client.get(f"/t/acme/audiences/{audience.pk}/people/").content.decode()


# Looking ----------------------------------------------------------------------------------------------


def test_people_stand_on_pages_of_fifty_and_nobody_twice(client, tenant, friends):
    members = [make_member(tenant) for _ in range(53)]
    put_in(friends, *members)
    address = f"/t/acme/audiences/{friends.pk}/people/"
    first = client.get(address).context
    second = client.get(address, {"after": first["next_key"]}).context
    listed = [stay.member_id for page in (first, second) for stay in page["stays"]]
    assert listed == [member.pk for member in members] and second["next_key"] is None


def test_only_those_who_are_in_are_found(client, tenant, friends):
    ada, ann = make_member(tenant, first_name="Ada"), make_member(tenant, first_name="Ann")
    put_in(friends, ada)
    friends.memberships.create(member=ann, joined_at=timezone.now(), left_at=timezone.now())
    address = f"/t/acme/audiences/{friends.pk}/people/"
    assert [stay.member for stay in client.get(address).context["stays"]] == [ada]
    assert not client.get(address, {"q": "ann"}).context["stays"]


def test_a_viewer_sees_the_people_and_no_form(client, tenant, friends):
    put_in(friends, make_member(tenant, first_name="Ada"))
    client.force_login(make_user(tenant, role="viewer"))
    page = client.get(f"/t/acme/audiences/{friends.pk}/people/", {"find": "Ada"}).content.decode()
    assert ">Ada<" in page and 'name="do"' not in page and "Paste many" not in page


def test_more_people_ask_no_more_queries(client, tenant, friends, count_queries):
    assert count_queries(
        lambda: put_in(friends, make_member(tenant)), f"/t/acme/audiences/{friends.pk}/people/"
    )


# Why? -------------------------------------------------------------------------------------------------


def reasons(reason):
    """The conditions of a reason: words, whether it holds, the member's value."""
    if not reason.parts:
        return [(reason.words, reason.holds, reason.value)]
    return [found for part in reason.parts for found in reasons(part)]


def test_each_condition_says_whether_it_holds_with_the_value_of_now(client, tenant):
    gold = make_tier(tenant, "gold")
    rule = {"all": [{"field": "tier_slug", "op": "equals", "value": "gold"},
                    {"any": [{"field": "points_balance", "op": "at_least", "value": 1000},
                             {"field": "city", "op": "equals", "value": "Leeds"}]}]}  # fmt: skip
    audience = make_audience(tenant, rule=rule)
    member = make_member(tenant, tier=gold, points_balance=40)
    page = client.get(f"/t/acme/audiences/{audience.pk}/why/", {"member": member.pk})
    assert reasons(page.context["answer"].reason) == [
        ("Tier is Gold", True, "Gold"),
        ("Points balance is at least 1,000", False, "40"),
        ("City is Leeds", False, "not known"),
    ]
    assert "is not in." in page.content.decode()


def test_who_is_in_is_said_with_since_when(client, tenant):
    audience = make_audience(tenant, rule=RICH)
    member = make_member(tenant, points_balance=60, first_name="Ann")
    put_in(audience, member)
    page = client.get(f"/t/acme/audiences/{audience.pk}/why/", {"q": "ann"}).content.decode()
    assert "Ann is in since" in page and "brought up to date" not in page


def test_who_fits_but_is_not_in_yet_is_told_to_wait(client, tenant):
    audience = make_audience(tenant, rule=RICH)
    member = make_member(tenant, points_balance=60)
    page = client.get(f"/t/acme/audiences/{audience.pk}/why/", {"member": member.pk}).content.decode()
    assert "brought up to date by itself" in page


def test_a_past_stay_is_named(client, tenant, friends):
    member = make_member(tenant, first_name="Ann")
    friends.memberships.create(member=member, joined_at=timezone.now(), left_at=timezone.now())
    page = client.get(f"/t/acme/audiences/{friends.pk}/why/", {"member": member.pk}).content.decode()
    assert "Ann is not in." in page and "was in until" in page and "kept by hand" in page


def test_several_people_are_offered_to_choose_from(client, tenant, friends):
    found = [make_member(tenant, first_name="Ann") for _ in range(3)]
    page = client.get(f"/t/acme/audiences/{friends.pk}/why/", {"q": "ann"})
    assert page.context["found"] == found and page.context["answer"] is None


@pytest.mark.parametrize("asked", [{"q": "nobody"}, {"member": "0"}, {"member": "9" * 30}, {"q": "a\0b"}])
def test_nobody_found_is_said(client, tenant, friends, asked):
    page = client.get(f"/t/acme/audiences/{friends.pk}/why/", asked)
    assert page.status_code == 200 and "Nobody is found" in page.content.decode()


def test_a_member_of_another_tenant_is_not_explained(client, tenant, friends):
    stranger = make_member(make_tenant("other"), first_name="Stranger")
    page = client.get(f"/t/acme/audiences/{friends.pk}/why/", {"member": stranger.pk}).content.decode()
    assert "Stranger" not in page


def test_a_rule_that_cannot_be_used_is_said(client, tenant):
    audience = make_audience(tenant, rule={"field": "gone", "op": "is_set"})
    page = client.get(f"/t/acme/audiences/{audience.pk}/why/", {"member": make_member(tenant).pk})
    assert "cannot be used any more" in page.content.decode()


def test_a_larger_rule_asks_no_more_queries(client, tenant, django_assert_max_num_queries):
    keys = ["city", "country", "email", "first_name", "last_name", "locale", "points_balance"]
    audience = make_audience(tenant, rule={"any": [{"field": key, "op": "is_set"} for key in keys]})
    member = make_member(tenant)
    with django_assert_max_num_queries(14):
        client.get(f"/t/acme/audiences/{audience.pk}/why/", {"member": member.pk})
