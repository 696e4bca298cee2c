"""Access tokens: renewed once for all workers, and what follows when the grant is gone."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from integrations import tasks
from integrations.errors import (
    AuthenticationError,
    ConfigurationError,
    PortalNotAccepted,
    RateLimited,
    Temporary,
)
from integrations.models import Extension, Health, SyncRun
from integrations.services import connections, grants, sync, tokens
from tests.factories import make_member, make_tenant, make_user
from tests.fakes import FakeDestination
from tests.services.builders import happen, people
from tests.services.conftest import drain

pytestmark = pytest.mark.django_db


def signed_in(fake: FakeDestination, **values: object) -> Extension:
    """An active connection by OAuth; `values` are its columns."""
    tenant = make_tenant()
    extension = connections.create(tenant, destination="fake", name="Fake")
    user = make_user(tenant)
    grants.finish(user=user, **fake.sign_in.allow(grants.begin(extension, user)))
    connections.set_active(extension, True)
    Extension.objects.filter(pk=extension.pk).update(**values)
    return Extension.objects.select_related("tenant").get(pk=extension.pk)


def soon() -> dict[str, object]:
    return {"token_expires_at": timezone.now() + timedelta(seconds=100)}


def test_a_token_that_lives_on_is_used_as_it_is(fake) -> None:
    extension = signed_in(fake)
    before = extension.secret
    assert grants.fresh(extension).secret == before
    assert fake.remote.count("refresh") == 0


def test_a_token_that_ends_soon_is_renewed_first(fake) -> None:
    extension = signed_in(fake, **soon())
    before = extension.secret
    connections.open_channel(extension).check()
    extension.refresh_from_db()
    assert fake.remote.count("refresh") == 1
    assert extension.secret != before and extension.refresh_lease_until is None
    assert extension.token_expires_at > timezone.now() + timedelta(minutes=50)


def test_a_rotated_refresh_token_is_stored(fake, monkeypatch) -> None:
    extension = signed_in(fake, **soon())
    renewed = fake.sign_in._tokens("refresh-rotated")
    monkeypatch.setattr(fake.sign_in, "refresh", lambda token: renewed)
    grants.fresh(extension)
    assert Extension.objects.get().refresh_token.reveal() == "refresh-rotated"


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_make_one_call(fake, monkeypatch) -> None:
    extension = signed_in(fake, **soon())
    together, seen, refresh = threading.Barrier(4), [], fake.sign_in.refresh

    def slowly(token):
        threading.Event().wait(0.3)
        return refresh(token)

    monkeypatch.setattr(fake.sign_in, "refresh", slowly)

    def work() -> None:
        try:
            mine = Extension.objects.get(pk=extension.pk)
            together.wait()
            seen.append(grants.fresh(mine).secret.reveal())
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert fake.remote.count("refresh") == 1
    assert len(seen) == 4 and set(seen) == {Extension.objects.get().secret.reveal()}


def test_who_waits_too_long_comes_back_later(fake, monkeypatch) -> None:
    monkeypatch.setattr(tokens, "WAIT_SECONDS", 0.2)
    extension = signed_in(fake, **soon(), refresh_lease_until=timezone.now() + timedelta(seconds=30))
    with pytest.raises(Temporary, match="Another worker"):
        grants.fresh(extension)
    assert fake.remote.count("refresh") == 0


def test_a_lease_of_a_dead_worker_ends(fake) -> None:
    extension = signed_in(fake, **soon(), refresh_lease_until=timezone.now() - timedelta(seconds=1))
    grants.fresh(extension)
    assert fake.remote.count("refresh") == 1


def test_a_token_that_came_between_is_simply_taken(fake) -> None:
    extension = signed_in(fake)
    late = Extension.objects.get(pk=extension.pk)
    refused = extension.secret
    new = tokens.renew(extension, refused)
    assert tokens.renew(late, refused) == new
    assert fake.remote.count("refresh") == 1


@pytest.mark.parametrize(
    "error", [RateLimited("Slower.", seconds=9), Temporary("No."), PortalNotAccepted("No.")]
)
def test_trouble_with_renewing_marks_nobody(fake, error) -> None:
    extension = signed_in(fake, **soon())
    fake.remote.fail("refresh", error)
    with pytest.raises(type(error)):
        connections.check(extension)
    found = Extension.objects.get()
    assert (found.is_active, found.removed_at, found.health) == (True, None, Health.OK)
    assert found.refresh_lease_until is None and found.secret


def test_an_operator_who_took_the_app_away_marks_nobody(fake) -> None:
    extension = signed_in(fake, **soon())
    fake.sign_in.offered = False
    with pytest.raises(PortalNotAccepted):
        connections.check(extension)
    found = Extension.objects.get()
    assert (found.is_active, found.health, found.refresh_lease_until) == (True, Health.OK, None)


def test_an_access_that_was_removed_there_is_noticed(fake) -> None:
    extension = signed_in(fake, **soon())
    happen(make_member(extension.tenant))
    fake.sign_in.grants.clear()
    with pytest.raises(AuthenticationError, match="Removed in Fake"):
        connections.check(extension)
    found = Extension.objects.get()
    assert (found.is_active, found.health) == (False, Health.ATTENTION)
    assert found.removed_at and found.refresh_token and found.secret is None
    assert "nothing is lost: 1 event waits" in found.health_reason
    with pytest.raises(AuthenticationError, match="Removed in Fake"):
        connections.open_channel(found)


def test_a_removal_while_nothing_waits_counts_nothing(fake) -> None:
    extension = signed_in(fake, **soon())
    fake.sign_in.grants.clear()
    with pytest.raises(AuthenticationError, match=r"Reconnect; nothing is lost\."):
        connections.check(extension)


def test_a_new_grant_is_not_lost_by_a_worker_that_asked_with_the_old_one(fake, monkeypatch) -> None:
    extension = signed_in(fake, **soon())

    def signed_in_anew(token):
        Extension.objects.update(refresh_lease_until=None)
        raise AuthenticationError("The grant is gone.")

    monkeypatch.setattr(fake.sign_in, "refresh", signed_in_anew)
    with pytest.raises(Temporary, match="anew"):
        grants.fresh(extension)
    assert Extension.objects.get().removed_at is None


def test_an_access_refused_in_the_middle_is_renewed_once_and_the_run_succeeds(fake) -> None:
    extension = signed_in(fake)
    people(extension.tenant, 3)
    fake.remote.fail("check", None)
    run = sync.start(extension, kind="full")
    fake.remote.keys = set()  # the token dies there, an hour too early
    drain(extension)
    run.refresh_from_db()
    assert (run.status, fake.remote.count("refresh")) == ("succeeded", 1)
    assert len(fake.remote.profiles) == 3


def test_a_removal_in_the_middle_keeps_what_waits(fake) -> None:
    extension = signed_in(fake)
    people(extension.tenant, 3)
    run = sync.start(extension, kind="full")
    fake.remote.keys = set()
    fake.sign_in.grants.clear()
    drain(extension)
    extension.refresh_from_db()
    run = SyncRun.objects.get(pk=run.pk)
    assert (extension.is_active, run.is_open) == (False, True)
    assert "Removed in Fake" in extension.health_reason
    assert fake.remote.profiles == {}


def test_a_connection_that_nobody_connected_says_where_to(fake) -> None:
    tenant = make_tenant("acme")
    extension = connections.create(tenant, destination="fake", name="Fake")
    extension.auth_method = "oauth"
    extension.save()
    with pytest.raises(ConfigurationError) as caught:
        connections.open_channel(extension)
    page = reverse("integration", args=["acme", extension.pk])
    assert f"http://127.0.0.1:8000{page} " in caught.value.words


# The clock -----------------------------------------------------------------------------------------


def test_a_grant_is_used_once_a_day_even_where_the_connection_is_off(fake) -> None:
    now = timezone.now()
    extension = signed_in(fake, refreshed_at=now - timedelta(hours=24))
    connections.set_active(extension, False)
    assert tasks.keep_grants_alive() == "1 grants"
    assert tasks.keep_alive(extension.pk) == "alive"
    assert (fake.remote.count("refresh"), grants.keep_alive(now)) == (1, 0)


def test_a_removal_is_noticed_by_the_clock(fake) -> None:
    extension = signed_in(fake)
    fake.sign_in.grants.clear()
    assert "Removed in Fake" in tasks.keep_alive(extension.pk)
    assert Extension.objects.get().removed_at
    assert tasks.keep_alive(extension.pk) == "nothing to do"
    assert grants.keep_alive(timezone.now() + timedelta(days=2)) == 0


def test_keys_have_no_grant_to_keep_alive(fake, connect) -> None:
    extension = connect()
    assert grants.keep_alive(timezone.now()) == 0
    assert tasks.keep_alive(extension.pk) == "nothing to do"
