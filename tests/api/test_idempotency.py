"""A POST may be sent again until it is answered: its effect happens once."""

import json
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from loyalty.models import Member
from loyalty.services import members
from portal.api import api
from portal.tenancy import idempotency
from portal.tenancy.models import IdempotentReply
from portal.tenancy.tasks import purge_idempotent_replies
from tests.api.conftest import caller, problem_of
from tests.factories import make_tenant

BODY = {"members": [{"external_id": "a", "first_name": "Ada"}]}


def post(call, body=None, key="k-1", path="/members/batch"):
    return call("POST", path, BODY if body is None else body, Idempotency_Key=key)


@pytest.mark.django_db
def test_a_repeat_is_answered_with_the_first_reply(call):
    first, again = post(call), post(call)
    assert first.status_code == again.status_code == 200
    assert first.content == again.content and b"created" in again.content
    assert "Idempotency-Replayed" not in first and again["Idempotency-Replayed"] == "true"
    assert post(call, key="k-2").content != first.content  # done again: unchanged now


@pytest.mark.django_db
def test_another_body_under_the_same_key_is_422(call):
    post(call)
    problem_of(post(call, {"members": []}), 422)


@pytest.mark.django_db
def test_a_key_belongs_to_its_tenant_and_address(call):
    post(call)
    assert "Idempotency-Replayed" not in post(caller(make_tenant("other")))
    assert "Idempotency-Replayed" not in post(call, {"entries": []}, path="/points/batch")


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", " ", "x" * 256, "a b", "é"])
def test_an_impossible_key_is_400(call, key):
    problem_of(post(call, key=key), 400)
    assert post(call, key="x" * 255).status_code == 200


@pytest.mark.django_db
def test_a_refused_call_gives_its_key_back(call):
    problem_of(post(call, {"members": 5}), 422)
    problem_of(post(call, b"{"), 400)
    assert post(call).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_effect_and_reply_are_stored_together_or_not_at_all(call, monkeypatch):
    upsert = members.upsert

    def upsert_and_fail(*args, **options):
        upsert(*args, **options)
        raise RuntimeError("killed between effect and reply")

    monkeypatch.setattr(members, "upsert", upsert_and_fail)
    problem_of(post(call), 500)
    assert not Member.objects.exists() and not IdempotentReply.objects.exists()
    monkeypatch.undo()
    assert b"created" in post(call).content


@pytest.mark.django_db
def test_while_the_first_is_running_it_is_409_and_a_dead_one_is_taken_over(call):
    post(call)
    running = IdempotentReply.objects
    running.update(status=None, created_at=timezone.now() - timedelta(seconds=50))
    response = post(call)
    problem_of(response, 409)
    assert response["Retry-After"]
    running.update(created_at=timezone.now() - timedelta(seconds=61))
    problem_of(post(call, {"members": []}), 422)
    assert post(call).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_two_that_work_under_one_key_only_one_commits(call, monkeypatch):
    """The first takes so long that its claim is taken over; what it did is rolled back."""
    upsert = members.upsert

    def slow_upsert(*args, **options):
        told = upsert(*args, **options)
        IdempotentReply.objects.update(created_at=timezone.now())  # as a take-over does
        return told

    monkeypatch.setattr(members, "upsert", slow_upsert)
    problem_of(post(call), 409)
    assert not Member.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_at_the_same_time_have_one_effect(call, monkeypatch):
    began, go_on = threading.Event(), threading.Event()
    upsert = members.upsert

    def waiting_upsert(*args, **options):
        began.set()
        assert go_on.wait(10)
        return upsert(*args, **options)

    monkeypatch.setattr(members, "upsert", waiting_upsert)
    answers = []

    def first():
        answers.append(post(call))
        connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    assert began.wait(10)
    problem_of(post(call), 409)
    go_on.set()
    thread.join()
    assert answers[0].status_code == 200
    assert post(call)["Idempotency-Replayed"] == "true"


@pytest.mark.django_db
def test_a_reply_out_of_date_is_purged_and_its_key_is_free(call):
    post(call)
    post(call, key="k-2")
    IdempotentReply.objects.filter(key="k-1").update(
        created_at=timezone.now() - idempotency.KEPT_FOR - timedelta(minutes=1)
    )
    assert post(call, {"members": []}).status_code == 200
    IdempotentReply.objects.filter(key="k-1").update(created_at=timezone.now() - timedelta(days=2))
    assert purge_idempotent_replies() == "1 replies forgotten"
    assert IdempotentReply.objects.get().key == "k-2"


@pytest.mark.django_db
def test_every_post_says_that_it_honours_the_key():
    paths = api.get_openapi_schema()["paths"]
    posts = [operation["post"] for operation in paths.values() if "post" in operation]
    assert len(posts) >= 5
    for post in posts:
        assert "Idempotency-Key" in [parameter["name"] for parameter in post["parameters"]], post["summary"]


@pytest.mark.django_db
def test_a_long_address_does_not_break_the_store(call):
    response = post(call, {}, path="/audiences/" + "x" * 3000 + "/members")
    assert json.loads(response.content)["status"] == 404
