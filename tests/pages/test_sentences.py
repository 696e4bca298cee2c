"""What a run says of itself on top of its page."""

from integrations.models import RunStatus, SyncRun
from integrations.services import run_stories


def test_a_run_that_only_held_people_back_says_what_was_fine() -> None:
    run = SyncRun(kind="full", status=RunStatus.SUCCEEDED, unchanged=398, held=2)
    assert run_stories.sentence(run, "Klaviyo") == "398 were up to date; 2 held back."


def test_a_run_with_arrivals_counts_those() -> None:
    run = SyncRun(kind="full", status=RunStatus.SUCCEEDED, sent=8, unchanged=398, held=2)
    assert run_stories.sentence(run, "Klaviyo") == "8 of 10 arrived; 2 held back."
