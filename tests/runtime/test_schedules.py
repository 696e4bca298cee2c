import pytest
from django.core.exceptions import ImproperlyConfigured
from django_q.models import Schedule

from portal.runtime import schedules
from portal.runtime.schedules import Every

pytestmark = pytest.mark.django_db


@pytest.fixture
def declare(monkeypatch: pytest.MonkeyPatch):
    return lambda *items: monkeypatch.setattr(schedules, "declared", lambda: iter(items))


def test_rows_are_made_changed_and_removed_and_strangers_left(declare) -> None:
    stranger = Schedule.objects.create(name="mine", func="os.getpid")
    declare(Every("a", "os.getpid", minutes=5), Every("b", "os.getpid", hours=1))
    assert schedules.apply()[0] == 2
    row = Schedule.objects.get(name="portal: a")
    assert (row.minutes, row.schedule_type, row.cluster, row.repeats) == (5, "I", "bulk", -1)
    declare(Every("a", "os.getppid", days=1))
    assert schedules.apply() == (1, 1)
    changed = Schedule.objects.get(name="portal: a")
    assert (changed.pk, changed.func, changed.minutes, changed.next_run) == (
        row.pk, "os.getppid", 1440, row.next_run,
    )  # fmt: skip
    assert Schedule.objects.filter(pk=stranger.pk).exists()


def test_migrate_has_applied_what_the_apps_declare() -> None:
    names = {schedules.PREFIX + item.name for item in schedules.declared()}
    assert names <= set(Schedule.objects.values_list("name", flat=True))


def test_an_interval_that_the_queue_cannot_keep_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured):
        Every("never", "os.getpid")
