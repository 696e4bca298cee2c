from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from django_q.models import OrmQ

from portal.runtime import queue
from tests.runtime import tasks

pytestmark = pytest.mark.django_db
announced: list[int] = []


def note(tenant_id: int) -> None:
    announced.append(tenant_id)


@pytest.fixture(autouse=True)
def target(settings) -> None:
    settings.ANNOUNCE_TARGET = f"{__name__}.note"
    announced.clear()


def test_a_tenant_is_announced_once_after_commit(django_capture_on_commit_callbacks) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        with transaction.atomic():
            queue.announce(1)
            queue.announce(2)
            queue.announce(1)
        with transaction.atomic():
            queue.announce(2)
        assert announced == []
    assert announced == [1, 2]


def test_a_later_transaction_is_announced_again(django_capture_on_commit_callbacks) -> None:
    for _ in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            queue.announce(1)
    assert announced == [1, 1]


def test_what_is_rolled_back_is_not_announced(django_capture_on_commit_callbacks) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        with pytest.raises(RuntimeError), transaction.atomic():
            queue.announce(1)
            tasks.fail()
        queue.announce(2)
    assert announced == [2]


def test_an_inner_rollback_does_not_silence_the_outer_block(django_capture_on_commit_callbacks) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        with pytest.raises(RuntimeError), transaction.atomic():
            queue.announce(1)
            tasks.fail()
        queue.announce(1)
    assert announced == [1]


def test_an_error_in_the_target_does_not_reach_the_caller(
    settings, django_capture_on_commit_callbacks, caplog
) -> None:
    settings.ANNOUNCE_TARGET = "nowhere.at_all"
    with django_capture_on_commit_callbacks(execute=True):
        queue.announce(7)
    assert "Could not announce the changes of tenant 7" in caplog.text


def test_an_enqueued_task_goes_with_its_transaction() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        queue.enqueue("tests.runtime.tasks.fail", lane="live")
        tasks.fail()
    assert not OrmQ.objects.exists()
    queue.enqueue("tests.runtime.tasks.fail", lane="bulk")
    (row,) = OrmQ.objects.all()
    assert row.key == "bulk"
    assert row.task["func"] == "tests.runtime.tasks.fail"
    assert row.task["save"] is False


def test_depth_tells_free_from_taken_tasks(settings) -> None:
    for _ in range(3):
        queue.enqueue("tests.runtime.tasks.fail", lane="live")
    first, second, _ = OrmQ.objects.order_by("id")
    now = timezone.now()
    OrmQ.objects.filter(pk=first.pk).update(lock=now - timedelta(seconds=40))
    taken = now + timedelta(seconds=settings.Q_CLUSTER["retry"] - 20)
    OrmQ.objects.filter(pk=second.pk).update(lock=taken)
    found = queue.depth()["live"]
    assert (found.claimable, found.claimed) == (2, 1)
    assert found.oldest_seconds == pytest.approx(40, abs=3)
    assert found.oldest_claim_seconds == pytest.approx(20, abs=3)
    assert queue.depth()["bulk"] == queue.Depth(0, None, 0, None)
