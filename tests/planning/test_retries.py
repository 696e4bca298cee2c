"""When to try again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations import errors
from integrations.planning import retries
from integrations.planning.retries import Retry


@pytest.mark.parametrize(
    ("error", "attempts", "expected"),
    [
        (errors.RateLimited("", seconds=7), 99, Retry(7.0, counts=False)),
        (errors.RateLimited("", seconds=0), 1, Retry(0.1, counts=False)),
        (errors.RateLimited("", seconds=-5), 1, Retry(0.1, counts=False)),
        (errors.AuthenticationError(""), 99, Retry(0.0, counts=False, needs_person=True)),
        (errors.ScopeMissing("", scope="x"), 1, Retry(0.0, counts=False, needs_person=True)),
        (errors.ConfigurationError(""), 1, Retry(0.0, counts=False, needs_person=True)),
        (errors.PortalNotAccepted(""), 99, Retry(60.0, counts=False)),
        (errors.Temporary(""), 1, Retry(3.0)),
        (errors.Temporary(""), 2, Retry(6.0)),
        (errors.Temporary(""), 7, Retry(192.0)),
        (errors.Temporary(""), 8, Retry(None)),
        (errors.Temporary(""), 9, Retry(None)),
        (errors.UnexpectedAnswer(""), 1, Retry(3.0)),
        (errors.UnexpectedAnswer(""), 8, Retry(None)),
        (errors.RowsRejected(""), 8, Retry(None)),
    ],
)
def test_what_follows_a_failure(error, attempts, expected):
    assert retries.decide(error, attempts, 8, 0.0) == expected


def test_jitter_spreads_the_delays():
    assert retries.decide(errors.Temporary(""), 1, 8, 1.0).after == 3.75
    assert retries.decide(errors.RateLimited("", seconds=1), 1, 8, 1.0).after == 1.25


@given(st.integers(0, 500), st.floats(0, 1))
def test_back_off_grows_and_has_an_end(attempts, jitter):
    delay = retries.backoff(attempts, jitter)
    assert 3.0 <= delay <= retries.LONGEST_DELAY * 1.25
    assert delay <= retries.backoff(attempts + 1, jitter)


def test_a_job_is_looked_at_soon_and_then_once_a_minute():
    delays = [retries.poll_delay(polls) for polls in range(20)]
    assert delays == sorted(delays)
    assert (delays[0], delays[-1]) == (0.5, 60.0)
