from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.gateway import throttle
from integrations.gateway.buckets import Rate
from integrations.models import FreshnessSample, RateSample, SentProfile
from integrations.services import freshness, rate_use, sampling
from tests.factories import make_member, make_tenant
from tests.pages.builders import make_extension

pytestmark = pytest.mark.django_db


@pytest.fixture
def extension():
    return make_extension(make_tenant(), account_id="AbC123")


def call(extension, endpoint: str = "GET /api/lists", *, times: int = 1, steady: int = 10) -> None:
    for _ in range(times):
        throttle.acquire(f"{rate_use.pool_of(extension)}{endpoint}", Rate(100, steady))


def test_the_busiest_endpoint_of_an_account_gives_the_per_cent(extension):
    call(extension, "GET /api/lists", times=5)
    call(extension, "GET /api/accounts", times=1)
    sampling.sample()
    sample = RateSample.objects.get()
    assert (sample.used, sample.calls, sample.is_blocked) == (50, 6, False)


def test_being_asked_to_wait_is_kept(extension):
    call(extension)
    throttle.block(f"{rate_use.pool_of(extension)}GET /api/lists", 30)
    sampling.sample()
    assert rate_use.hours(extension)[-1].is_blocked


def test_a_minute_is_sampled_once_however_often_it_is_asked(extension):
    call(extension)
    now = timezone.now()
    sampling.sample(now)
    assert sampling.sample(now) == 2  # handed to the database, which takes neither
    assert RateSample.objects.count() == FreshnessSample.objects.count() == 1


def test_hours_are_those_of_this_account_alone(extension):
    other = make_extension(make_tenant(), account_id="Other1")
    call(other, times=3)
    sampling.sample()
    assert [hour.calls for hour in rate_use.hours(other)][-1] == 3
    assert not any(hour.calls for hour in rate_use.hours(extension))
    assert len(rate_use.hours(extension)) == 24


def test_what_waits_is_counted_with_the_age_of_the_oldest(extension):
    now = timezone.now()
    for age in (5, 90):
        SentProfile.objects.create(
            extension=extension, member=make_member(extension.tenant), due_at=now - timedelta(seconds=age)
        )
    found = freshness.waiting([extension.pk])[extension.pk]
    assert found.count == 2
    assert 89 <= found.seconds(timezone.now()) <= 95
    sampling.sample()
    assert freshness.hours(extension)[-1].seconds >= 89


def test_nothing_waits_is_an_answer_too(extension):
    assert freshness.waiting([extension.pk])[extension.pk].count == 0
    sampling.sample()
    hours = freshness.hours(extension)
    assert hours[-1].seconds == 0
    assert hours[0].seconds is None  # nothing was measured then


def test_old_samples_go(extension):
    sampling.sample(timezone.now() - timedelta(days=9))
    sampling.sample()
    assert FreshnessSample.objects.count() == 1


def test_many_connections_are_one_query(extension, django_assert_num_queries):
    ids = [extension.pk, make_extension(make_tenant()).pk]
    with django_assert_num_queries(1):
        freshness.waiting(ids)
