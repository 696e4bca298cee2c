"""Every address under /t/<slug>/ is found in the URLconf, so a new page is covered by being there."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from integrations.models import AudienceMapping, FieldMapping
from portal.tenancy import invitations, tokens
from portal.tenancy.guards import can
from portal.tenancy.models import Role
from tests.factories import make_audience, make_member, make_tenant, make_user
from tests.pages.builders import make_extension, make_troubled_run

pytestmark = pytest.mark.django_db


def merchant_patterns(
    patterns: list[Any] | None = None, prefix: str = ""
) -> Iterator[tuple[str, tuple[str, ...], Any]]:
    """Name, parameters and view of every address that takes a tenant's slug."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if pattern.namespace is None and not route.startswith("api/"):
                yield from merchant_patterns(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern) and route.startswith("t/<slug:slug>"):
            names = tuple(part.split(":")[-1].rstrip(">") for part in route.split("<")[1:])
            yield pattern.name or route, tuple(name.split(">")[0] for name in names), pattern.callback


FOUND = list(merchant_patterns())
ADDRESSES = [name for name, _, _ in FOUND]
VIEWS = {name: view for name, _, view in FOUND}


@pytest.fixture
def world(db):
    tenant = make_tenant("acme")
    extension = make_extension(tenant, base_url="http://127.0.0.1:9")  # nobody answers there
    member = make_member(tenant)
    run = make_troubled_run(extension, member)
    audience = make_audience(tenant)
    colleague = make_user(tenant, role="viewer")
    invitation, _ = invitations.make(tenant, email="new@example.com", role=Role.VIEWER, by=colleague)
    known = {
        "slug": "acme",
        "membership_id": colleague.memberships.get().pk,
        "invitation_id": invitation.pk,
        "token_id": tokens.issue(tenant, "Till")[0].pk,
        "run_id": run.pk,
        "member_id": member.pk,
        "extension_id": extension.pk,
        "audience_id": audience.pk,
        "kind": "points_earned",
        "list_mapping_id": AudienceMapping.objects.create(
            extension=extension, audience=audience, list_name="VIP", list_id="L1"
        ).pk,
        "field_mapping_id": FieldMapping.objects.create(
            extension=extension, field="points_balance", property="Points Balance"
        ).pk,
    }

    def address(name: str, **other: Any) -> str:
        parameters = next(keys for found, keys, _ in FOUND if found == name)
        return reverse(name, kwargs={key: {**known, **other}[key] for key in parameters})

    return tenant, address


def wanted_role(name: str) -> str:
    return getattr(VIEWS[name], "tenant_role", None)


def takes_get(client, url: str) -> bool:
    return client.get(url).status_code != 405


def test_there_are_the_pages_of_the_navigation():
    assert {"overview", "runs", "run", "members", "member", "integrations"} <= set(ADDRESSES)


@pytest.mark.parametrize("name", ADDRESSES)
def test_each_has_a_guard(name):
    assert wanted_role(name) in Role.values


@pytest.mark.parametrize("name", ADDRESSES)
def test_anonymous_is_sent_to_the_log_in(client, world, name):
    answer = client.get(world[1](name))
    assert answer.status_code in (302, 405)
    if answer.status_code == 302:
        assert answer.url.startswith("/login/?next=/t/acme/")


@pytest.mark.parametrize("name", ADDRESSES)
@pytest.mark.parametrize("method", ["get", "post"])
def test_outsider_finds_nothing(client, world, name, method):
    client.force_login(make_user(make_tenant("other")))
    assert getattr(client, method)(world[1](name)).status_code in (404, 405)


@pytest.mark.parametrize("name", ADDRESSES)
def test_unknown_tenant_is_not_found(client, world, name):
    client.force_login(make_user(world[0]))
    assert client.get(world[1](name, slug="nobody")).status_code in (404, 405)


@pytest.mark.parametrize("role", ["viewer", "manager", "owner"])
@pytest.mark.parametrize("name", ADDRESSES)
def test_a_role_opens_what_it_may(client, world, name, role):
    client.force_login(make_user(world[0], role=role))
    answer = client.get(world[1](name))
    weak = not can(Role(role), wanted_role(name))
    assert answer.status_code in ((403, 405) if weak else (200, 204, 405))


@pytest.mark.parametrize("name", [name for name in ADDRESSES if wanted_role(name) != Role.VIEWER])
def test_a_viewer_changes_nothing(client, world, name):
    client.force_login(make_user(world[0], role="viewer"))
    answer = client.post(world[1](name))
    assert answer.status_code == 403
    assert "role" in answer.content.decode()


@pytest.mark.parametrize("name", [name for name in ADDRESSES if wanted_role(name) == Role.VIEWER])
def test_what_a_viewer_may_see_takes_no_post(client, world, name):
    client.force_login(make_user(world[0], role="viewer"))
    assert client.post(world[1](name)).status_code == 405


@pytest.mark.parametrize(
    "key", ["run_id", "member_id", "extension_id", "membership_id", "invitation_id", "token_id"]
)
def test_the_rows_of_another_tenant_are_not_found(client, world, key):
    """A key of somebody else's row under one's own slug."""
    other = make_tenant("other")
    client.force_login(make_user(other))
    for name, keys, _ in FOUND:
        if key in keys:
            for method in ("get", "post"):
                answer = getattr(client, method)(world[1](name, slug="other"))
                assert answer.status_code in (404, 405), name


@pytest.mark.parametrize("name", ADDRESSES)
def test_staff_may_look_as_a_viewer_and_it_is_said(client, world, name, staff):
    client.force_login(staff)
    answer = client.get(world[1](name))
    allowed = wanted_role(name) == Role.VIEWER
    assert answer.status_code in ((200, 204) if allowed else (403, 405))
    if name in ("overview", "runs", "run", "members", "member", "integrations"):
        assert "You are looking at this as staff" in answer.content.decode()


def test_staff_without_the_permission_find_nothing(client, world):
    client.force_login(make_user(is_staff=True))
    assert client.get("/t/acme/").status_code == 404


def test_the_guard_asks_once(client, world, django_assert_max_num_queries):
    """Session, person, and one query for tenant and role together."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.force_login(make_user(world[0], role="viewer"))
    client.get("/t/acme/members/")
    with CaptureQueriesContext(
        connection,
    ) as found:
        client.get("/t/acme/members/")
    asked = [
        query["sql"]
        for query in found
        if "tenancy_membership" in query["sql"] and '"slug" = ' in query["sql"]
    ]
    assert len(asked) == 1
