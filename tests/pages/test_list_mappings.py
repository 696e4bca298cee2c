"""Linking an audience to a list, and everything that a manager does with the link."""

import pytest
from django.core.cache import cache
from django.utils import timezone

from integrations.errors import ListGone, Temporary
from integrations.gateway import registry
from integrations.gateway.values import RemoteList
from integrations.models import AudienceMapping, SentMembership, SyncRun
from integrations.services import list_words
from integrations.services.list_words import Plan
from loyalty.models import AudienceMember
from tests.factories import make_audience, make_member, make_tenant, make_user
from tests.pages.builders import make_extension

pytestmark = pytest.mark.django_db


@pytest.fixture
def remote(settings):
    """The account behind the connection, in memory."""
    settings.DESTINATIONS = ["tests.fakes.FakeDestination"]
    registry.destinations.cache_clear()
    cache.clear()
    yield registry.get("fake").remote
    registry.destinations.cache_clear()
    cache.clear()


@pytest.fixture
def tenant(client):
    tenant = make_tenant("acme")
    client.force_login(make_user(tenant, role="manager"))
    return tenant


@pytest.fixture
def extension(tenant, remote):
    return make_extension(tenant, destination="fake", account_id="A1")


@pytest.fixture
def gold(tenant):
    audience = make_audience(tenant, name="Gold members")
    for _ in range(3):
        AudienceMember.objects.create(audience=audience, member=make_member(tenant), joined_at=timezone.now())
    return audience


@pytest.fixture
def vip(extension, gold):
    return AudienceMapping.objects.create(
        extension=extension, audience=gold, list_name="VIP", list_id="L1", read_at=timezone.now()
    )


def text(answer) -> str:
    assert answer.status_code == 200
    return answer.content.decode()


def send(client, gold, **given):
    """What the form on that audience's page sends, with what is usual."""
    usual = {"audience": gold.pk, "to": "existing", "remove_leavers": "on"}
    return client.post(f"/t/acme/audiences/{gold.pk}/link/", {**usual, **given})


def act(client, mapping, what, **given):
    return client.post(f"/t/acme/lists/{mapping.pk}/{what}", given, follow=True)


# The form -------------------------------------------------------------------------------------------


def test_the_form_is_there_at_once_and_asks_for_the_lists_by_itself(client, extension, gold, remote):
    page = text(client.get(f"/t/acme/audiences/{gold.pk}/link/"))
    assert "Gold members (3)" in page and "selected>Gold members (3)" in page
    assert 'hx-get="/t/acme/lists/choices/?connection=' in page
    assert remote.calls == []


def test_a_thousand_lists_are_all_offered_and_kept_for_a_while(client, extension, gold, remote):
    remote.lists.update({f"L{number}": f"List {number}" for number in range(1000)})
    found = text(client.get("/t/acme/lists/choices/"))
    assert found.count("<option value=") == 1001 and "All 1000 lists" in found.replace(",", "")
    text(client.get("/t/acme/lists/choices/"))
    assert remote.count("lists") == 1
    text(client.get("/t/acme/lists/choices/?fresh=1"))
    assert remote.count("lists") == 2


def test_a_list_that_follows_an_audience_cannot_be_chosen(client, extension, vip, remote):
    remote.lists["L1"] = "VIP"
    found = text(client.get("/t/acme/lists/choices/"))
    assert "disabled>VIP (follows Gold members)" in found


def test_lists_of_one_name_are_told_apart(client, extension, gold, remote):
    remote.lists.update({"L1": "VIP", "L2": "VIP"})
    found = text(client.get("/t/acme/lists/choices/"))
    assert "VIP · L1" in found and "VIP · L2" in found


def test_a_chosen_list_is_linked_and_what_happens_next_is_said(client, extension, gold, remote):
    remote.lists["L1"] = "VIP"
    answer = send(client, gold, list_id="L1")
    mapping = AudienceMapping.objects.get()
    assert (mapping.list_id, mapping.list_name, mapping.audience) == ("L1", "VIP", gold)
    assert (mapping.remove_leavers, mapping.is_paused, mapping.create_list) == (True, False, False)
    page = text(client.get(answer.url))
    assert "is linked to “VIP”. It is filled with the next run" in page and "Fill it now" in page
    assert not SyncRun.objects.exists() and remote.count("create_list", "join_list") == 0


def test_a_new_list_is_only_named_and_both_options_are_kept(client, extension, gold, remote):
    send(client, gold, to="new", name="Best customers", remove_leavers="", is_paused="on")
    mapping = AudienceMapping.objects.get()
    assert (mapping.list_id, mapping.list_name, mapping.create_list) == ("", "Best customers", True)
    assert (mapping.remove_leavers, mapping.is_paused) == (False, True)


def test_another_audience_may_be_chosen_in_the_form(client, tenant, extension, gold, remote):
    other = make_audience(tenant, name="Silver")
    remote.lists["L1"] = "VIP"
    answer = send(client, gold, audience=other.pk, list_id="L1")
    assert answer.url == f"/t/acme/audiences/{other.pk}/"
    assert AudienceMapping.objects.get().audience == other


def test_an_audience_of_another_tenant_is_refused(client, extension, gold, remote):
    remote.lists["L1"] = "VIP"
    theirs = make_audience(make_tenant("other"))
    text(send(client, gold, audience=theirs.pk, list_id="L1"))
    assert not AudienceMapping.objects.exists()


def test_a_name_that_is_taken_there_offers_that_list(client, extension, gold, remote):
    remote.lists["L1"] = "VIP"
    page = text(send(client, gold, to="new", name=" vip "))
    assert "There is a list called “VIP” already." in page and "Use the list “VIP”" in page
    assert not AudienceMapping.objects.exists()
    send(client, gold, to="new", name=" vip ", use_found="L1")
    assert AudienceMapping.objects.get().list_id == "L1"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"list_id": "L1"}, "“VIP” is kept in step with Gold members already"),
        ({"to": "new", "name": "vip"}, "“VIP” is kept in step with Gold members already"),
        ({"list_id": "L9"}, "This list is not there any more"),
        ({"list_id": ""}, "Choose a list, or make a new one"),
        ({"to": "new", "name": "  "}, "Enter a name for the new list"),
    ],
)
def test_what_clashes_is_refused_beside_the_field(client, tenant, vip, remote, given, words):
    remote.lists["L1"] = "VIP"
    page = text(send(client, make_audience(tenant, name="Silver"), **given))
    assert page.count(words) == 2  # beside the field and at the top
    assert 'aria-invalid="true"' in page
    assert AudienceMapping.objects.count() == 1


def test_the_same_pair_twice_is_said_as_such(client, vip, gold, remote):
    remote.lists["L1"] = "VIP"
    assert "Gold members is linked to “VIP” already" in text(send(client, gold, list_id="L1"))


def test_the_form_says_why_nobody_answers_and_keeps_what_was_typed(client, extension, gold, remote):
    remote.checks["lists"] = lambda name: Temporary("Nobody answers.")
    found = text(client.get("/t/acme/lists/choices/"))
    assert "The lists cannot be read now. Nobody answers." in found
    page = text(send(client, gold, list_id="L1", name="Best customers"))
    assert "Nobody answers." in page and 'value="Best customers"' in page
    send(client, gold, to="new", name="Best customers")
    assert AudienceMapping.objects.get().list_name == "Best customers"


def test_without_scripts_the_lists_are_part_of_the_page(client, extension, gold, remote):
    remote.lists["L1"] = "VIP"
    assert '<option value="L1"' in text(client.get(f"/t/acme/audiences/{gold.pk}/link/?read=1"))


def test_without_a_connection_the_page_says_where_to_begin(client, tenant, gold):
    assert "No connection yet" in text(client.get(f"/t/acme/audiences/{gold.pk}/link/"))


def test_a_connection_of_another_tenant_is_not_found(client, extension, gold):
    theirs = make_extension(make_tenant("other"), destination="fake", account_id="B")
    for address in (f"audiences/{gold.pk}/link/", "lists/choices/", "lists/sentence/"):
        assert client.get(f"/t/acme/{address}?connection={theirs.pk}").status_code == 404


# The sentence ---------------------------------------------------------------------------------------


def sentence(client, **given) -> str:
    return text(client.get("/t/acme/lists/sentence/", given))


def test_the_sentence_says_what_will_happen_with_the_people_already_there(client, extension, gold, remote):
    remote.lists["L1"] = "VIP"
    remote.on_list["L1"] = [f"P{number}" for number in range(12)]
    text(client.get("/t/acme/lists/choices/"))
    chosen = {"audience": gold.pk, "to": "existing", "list_id": "L1", "remove_leavers": "on"}
    for _ in range(3):
        found = sentence(client, **chosen)
    assert "Gold members (3) joins VIP; leavers are removed; 12 people already there stay." in found
    assert "consent is changed" in found and "Flows in Fake that start" in found
    assert remote.count("read_list") == 1  # such calls are few


def test_the_sentence_of_a_list_that_is_taken_is_a_refusal(client, vip, gold, remote):
    remote.lists["L1"] = "VIP"
    text(client.get("/t/acme/lists/choices/"))
    assert "already" in sentence(client, audience=gold.pk, to="existing", list_id="L1")


def test_the_sentence_of_a_list_that_is_gone_says_so(client, extension, gold, remote):
    remote.lists["L1"] = "VIP"
    text(client.get("/t/acme/lists/choices/"))
    remote.lists.clear()
    assert "not there any more" in sentence(client, audience=gold.pk, to="existing", list_id="L1")


@pytest.mark.parametrize("given", [{}, {"audience": "x"}, {"audience": "1", "to": "new", "name": " "}])
def test_before_both_are_chosen_there_is_no_sentence(client, extension, given):
    assert "Choose both" in sentence(client, **given)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"is_new": True}, "Gold (1,204) becomes the new list VIP; leavers are removed."),
        ({"remove_leavers": False}, "Gold (1,204) joins VIP; leavers stay on it; people already there stay."),
        ({"there": RemoteList("L", "VIP", 1)}, "leavers are removed; 1 person already there stays."),
        ({"there": RemoteList("L", "VIP", 0)}, "leavers are removed; nobody is on it yet."),
    ],
)
def test_the_words_of_a_plan(changes, words):
    plan = Plan(**{"audience": "Gold", "members": 1204, "name": "VIP", "destination": "Fake", **changes})
    assert list_words.sentence(plan).endswith(words)


def test_a_plan_warns_of_double_opt_in_and_of_a_pause():
    plan = Plan("Gold", 3, "VIP", "Fake", is_paused=True, there=RemoteList("L", "VIP", 5, "double"))
    notes = " ".join(list_words.notes(plan))
    assert "never confirmed get no e-mail" in notes and "paused at first" in notes


# Changing, pausing, counting ------------------------------------------------------------------------


def test_leavers_stay_when_that_is_switched_off(client, vip):
    assert "checked" in text(client.get(f"/t/acme/lists/{vip.pk}/"))
    assert "stays on the list from now on" in text(act(client, vip, "", sent="1"))
    vip.refresh_from_db()
    assert not vip.remove_leavers


def test_a_pause_says_what_waits_and_is_taken_back(client, vip, gold):
    SentMembership.objects.create(mapping=vip, member=make_member(gold.tenant), origin="added")
    page = text(act(client, vip, "pause/", paused="1"))
    assert "is paused. Nothing is lost: 3 people to join it and 1 person to leave it wait." in page
    text(act(client, vip, "pause/", paused="1"))
    vip.refresh_from_db()
    assert vip.is_paused
    assert "goes on with the next run" in text(act(client, vip, "pause/", paused="0"))


def test_filling_now_starts_one_run_of_audiences(client, vip):
    for _ in range(2):
        act(client, vip, "fill/")
    assert SyncRun.objects.get().kind == "audiences"


def test_filling_is_refused_in_words_while_the_connection_is_off(client, vip, extension):
    extension.is_active = False
    extension.save()
    assert "switched off" in text(act(client, vip, "fill/"))
    assert not SyncRun.objects.exists()


@pytest.mark.parametrize(("opt_in", "may", "awaiting"), [("double", 1, 2), ("single", 3, 0)])
def test_people_are_counted_by_who_may_receive_and_who_has_to_confirm(
    client, vip, remote, opt_in, may, awaiting
):
    remote.lists["L1"] = "VIP"
    remote.profiles.update({pk: {"values": {}, "properties": {}} for pk in "abcd"})
    remote.on_list["L1"] = list("abcd")
    remote.subscribed, remote.no_email = {"a"}, {"d"}
    remote.double_opt_in = {"L1"} if opt_in == "double" else set()
    answer = client.post(f"/t/acme/lists/{vip.pk}/count/", headers={"HX-Request": "true"})
    assert "<dd>4</dd>" in text(answer)
    vip.refresh_from_db()
    assert vip.numbers == {"on_list": 4, "may_receive": may, "awaiting": awaiting, "looked_at": 4}
    assert vip.numbers_at is not None


def test_of_a_long_list_only_what_was_read_is_told(client, vip, remote, monkeypatch):
    monkeypatch.setattr("integrations.services.list_numbers.PAGES", 2)
    remote.page_size, remote.lists["L1"] = 5, "VIP"
    remote.profiles.update({f"p{n}": {"values": {}, "properties": {}} for n in range(30)})
    remote.on_list["L1"] = [f"p{n}" for n in range(30)]
    page = text(act(client, vip, "count/"))
    assert "Of the first 10 of 30 people" in page and remote.count("list_page") == 2


def test_a_count_that_fails_says_why_and_keeps_the_last_numbers(client, vip, remote):
    vip.numbers, vip.numbers_at = (
        {"on_list": 7, "may_receive": 5, "awaiting": 0, "looked_at": 7},
        timezone.now(),
    )
    vip.save()
    remote.checks["read_list"] = lambda list_id: Temporary("Nobody answers.")
    found = text(client.post(f"/t/acme/lists/{vip.pk}/count/", headers={"HX-Request": "true"}))
    assert "It cannot be counted now. Nobody answers." in found and "<dd>7</dd>" in found


# Mending and unlinking ------------------------------------------------------------------------------


def test_a_list_that_is_gone_is_made_anew_when_tried_again(client, vip, remote):
    vip.problem = "The list “VIP” does not exist any more."
    vip.save()
    SentMembership.objects.create(mapping=vip, member=make_member(vip.audience.tenant), origin="added")
    assert "Try again" in text(client.get(f"/t/acme/lists/{vip.pk}/"))
    act(client, vip, "", again="1")
    vip.refresh_from_db()
    assert (vip.problem, vip.list_id, vip.read_at, vip.create_list) == ("", "", None, True)
    assert not SentMembership.objects.exists()


def test_a_list_that_is_there_is_tried_again_as_it_is(client, vip, remote):
    remote.lists["L1"] = "VIP"
    AudienceMapping.objects.update(problem="It cannot be changed.")
    act(client, vip, "", again="1")
    vip.refresh_from_db()
    assert (vip.problem, vip.list_id) == ("", "L1")


def test_unlinking_states_numbers_and_leaves_everybody_by_default(client, vip, gold):
    for origin in ("added", "added", "found"):
        SentMembership.objects.create(mapping=vip, member=make_member(gold.tenant), origin=origin)
    page = text(client.get(f"/t/acme/lists/{vip.pk}/unlink/"))
    assert "Take off the 2 people whom we added" in page and "1 of your members was there before us" in page
    assert AudienceMapping.objects.exists()
    assert "Everybody who is on the list stays there." in text(act(client, vip, "unlink/", how="leave"))
    assert not AudienceMapping.objects.exists() and not SyncRun.objects.exists()


def test_taking_people_off_goes_on_by_a_run_and_can_be_undone(client, vip, gold):
    for _ in range(2):
        SentMembership.objects.create(mapping=vip, member=make_member(gold.tenant), origin="added")
    page = text(act(client, vip, "unlink/", how="remove"))
    assert "takes off the 2 people whom we added" in page
    assert "2 of 2 people whom we added are still on the list" in page and "Being unlinked" in page
    SentMembership.objects.filter(pk=SentMembership.objects.first().pk).delete()
    asked = text(client.get(f"/t/acme/lists/{vip.pk}/unlink/"))
    assert "1 of 2 people" in asked and "Keep the list after all" in asked
    assert "stays linked" in text(act(client, vip, "unlink/", how="keep"))
    vip.refresh_from_db()
    assert vip.ending_at is None


def test_without_an_answer_nothing_is_unlinked(client, vip):
    assert "Say what becomes of the people" in text(client.post(f"/t/acme/lists/{vip.pk}/unlink/"))
    assert AudienceMapping.objects.exists()


def test_neither_a_viewer_nor_an_outsider_changes_a_list(client, tenant, vip, gold):
    for person, status in ((make_user(tenant, role="viewer"), 403), (make_user(make_tenant()), 404)):
        client.force_login(person)
        for what in ("", "pause/", "unlink/", "count/", "fill/"):
            given = {"how": "leave", "paused": "1"}
            assert client.post(f"/t/acme/lists/{vip.pk}/{what}", given).status_code == status
        assert send(client, gold, to="new", name="X").status_code == status
    vip.refresh_from_db()
    assert not vip.is_paused and AudienceMapping.objects.count() == 1


def test_a_list_of_another_tenant_is_not_found(client, vip):
    other = make_tenant("other")
    client.force_login(make_user(other, role="owner"))
    for what in ("", "pause/", "unlink/", "count/", "fill/"):
        assert client.post(f"/t/other/lists/{vip.pk}/{what}", {"how": "leave"}).status_code == 404
    assert AudienceMapping.objects.filter(ending_at=None, is_paused=False).exists()


def test_a_list_that_went_while_it_is_counted_says_so(client, vip, remote):
    remote.checks["read_list"] = lambda list_id: ListGone("The list is gone.", list_id=list_id)
    assert "The list is gone." in text(act(client, vip, "count/"))
