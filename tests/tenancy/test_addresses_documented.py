"""docs/addresses.md says who gets what at every address. It is made from the URLconf and real requests."""

import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from loyalty.models import Audience
from portal.admin_site import site
from portal.api import api
from portal.tenancy import tokens
from portal.tenancy.models import Membership, Tenant
from tests.browser.world import make_world
from tests.factories import make_tenant, make_user

pytestmark = pytest.mark.django_db

PAGE = settings.BASE_DIR / "docs" / "addresses.md"
REWRITE = "UPDATE_DOCS=1 .venv/bin/python -m pytest tests/tenancy/test_addresses_documented.py"
PEOPLE = ("anonymous", "outsider", "viewer", "manager", "owner", "support", "staff")
ORDER = ("Ma", "Me", "Pe", "Ad")  # of the sections, by how their titles begin
HEAD = f"""# Addresses

Every address of the portal, and who gets what there. This page is made by asking for each of them as each person
(`tests/tenancy/test_addresses_documented.py`), and a test fails when it is no longer true. To write it anew:

    {REWRITE}

Who asks: *anonymous* is signed in as nobody. *Outsider* is an owner of another tenant. *Viewer*, *manager* and *owner*
belong to the tenant. *Support* and *staff* have no role there, only their group of the admin: they may look at merchant
pages like a viewer, and the page says that they look as staff. Superusers may do in the admin whatever the admin can.

| word | means |
|---|---|
| page | the page, part of a page or file is shown (200) |
| nothing yet | the address answers that there is nothing to show now (204) |
| log-in | sent to the page *Log in*, and back afterwards |
| elsewhere | sent to another page of the portal |
| 403 | a page says that the role or group does not allow it |
| 404 | as if nothing were there; outsiders cannot tell whether there is |
| may do | the address takes a change (POST) from this person; a viewer's POST is refused with 403 |
| – | the address takes no GET from anybody (405): it is only for changes, or only for programs |
"""


def answers(status: int, location: str) -> str:
    """One answer in the words of the page."""
    if status in (301, 302):
        return "log-in" if location.startswith("/login/") else "elsewhere"
    return {200: "page", 204: "nothing yet", 405: "–"}.get(status, str(status))


def routes(patterns: list[Any] | None = None, prefix: str = "") -> Iterator[str]:
    """Every route of the URLconf but those that catch all and only say that nothing is there."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern) and "^" not in route and "(?P" not in route:
            yield route


def shown(route: str) -> str:
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"<\1>", route)


def of_models() -> set[str]:
    return {f"admin/{model._meta.app_label}/{model._meta.model_name}/" for model in site._registry}


def tenant_of(known: dict[str, Any]) -> Tenant:
    return Tenant.objects.get(slug=known["slug"])


@pytest.fixture
def world() -> dict[str, Any]:
    known = make_world()
    known |= {"destination": "klaviyo", "token": "no-such-token", "uidb64": "MQ", "object_id": "1"}
    press = Audience.objects.create(
        tenant_id=tenant_of(known).pk, slug="by-hand", name="By hand", is_static=True
    )
    known["static_id"] = press.pk
    return known | {"content_type_id": "1", "external_id": "C-1", "audience_slug": "press"}


@pytest.fixture
def clients(world, staff, support) -> dict[str, Client]:
    tenant = make_tenant("elsewhere")
    people = {
        "outsider": make_user(tenant, role="owner"),
        "viewer": make_user(email="looks@example.com"),
        "manager": make_user(email="manages@example.com"),
        "owner": make_user(email="owns@example.com"),
        "support": support,
        "staff": staff,
    }
    for role in ("viewer", "manager", "owner"):
        Membership.objects.create(tenant=Tenant.objects.get(slug="acme"), user=people[role], role=role)
    found = {"anonymous": Client()}
    for name, person in people.items():
        found[name] = Client(raise_request_exception=True)
        found[name].force_login(person)
    return found


class RolledBack(Exception):
    """Takes back what a request changed, so that the next person finds the same."""


def ask(client: Client, method: str, address: str) -> tuple[int, str]:
    cookies, answer = client.cookies.copy(), None
    try:
        with transaction.atomic():
            answer = getattr(client, method)(address)
            raise RolledBack
    except RolledBack:
        client.cookies = cookies
    return answer.status_code, answer.get("Location", "")


def cell(client: Client, address: str) -> str:
    look, do = answers(*ask(client, "get", address)), ask(client, "post", address)
    may_do = do[0] not in (403, 404, 405) and not do[1].startswith("/login/")
    if look == "–" and not may_do:
        return "log-in" if do[1].startswith("/login/") else str(do[0])
    words = [look] if look != "–" else []
    return ", ".join([*words, "may do"] if may_do else words)


def address_of(route: str, known: dict[str, Any]) -> str:
    if "people/change" in route:  # only of audiences that people fill by hand
        known = known | {"audience_id": known["static_id"]}
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(known[found[1]]), route)


def table(rows: list[str], cells: Callable[[str, str], str], columns: tuple[str, ...] = PEOPLE) -> str:
    lines = [f"| address | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    lines += [f"| `{shown(row)}` | {' | '.join(cells(row, column) for column in columns)} |" for row in rows]
    return "\n".join(lines) + "\n"


def model_cell(client: Client, start: str, pk: object) -> str:
    """What a person may do with one model: the pages that open to them."""
    address = f"/{start}"
    answer = client.get(address)
    if answer.status_code != 200:
        return answers(answer.status_code, answer.get("Location", ""))
    one = client.get(f"{address}{pk}/change/") if pk else None
    may = ["see"]
    may += ["add"] if client.get(f"{address}add/").status_code == 200 else []
    if one is not None and one.status_code == 200:
        may += [word for word in ("change", "delete") if one.context[f"has_{word}_permission"]]
    return ", ".join(may)


def newest(start: str) -> object:
    app, model = start.split("/")[1:3]
    found = next(m for m in site._registry if (m._meta.app_label, m._meta.model_name) == (app, model))
    return found._default_manager.order_by("-pk").values_list("pk", flat=True).first()


def api_table(anonymous: Client, owner: Client, token: str) -> str:
    lines = ["| call | without a token | signed in, without a token | with a token |", "|---|---|---|---|"]
    for path, operations in api.get_openapi_schema()["paths"].items():
        address = re.sub(r"\{(\w+)\}", "1", path)
        for method in operations:
            asked = [
                getattr(client, method)(address, content_type="application/json", **headers).status_code
                for client, headers in (
                    (anonymous, {}),
                    (owner, {}),
                    (Client(), {"headers": {"Authorization": f"Bearer {token}"}}),
                )
            ]
            last = "401" if asked[2] == 401 else "its own tenant only"
            lines.append(f"| `{method.upper()} {path}` | {asked[0]} | {asked[1]} | {last} |")
    return "\n".join(lines) + "\n"


def section_of(route: str) -> str:
    for start, title in (
        ("api/", ""),
        ("admin/", "Admin: pages"),
        ("t/<slug:slug>/settings", "Merchant pages: settings, team, tokens, alerts"),
        ("t/<slug:slug>/members", "Merchant pages: members"),
        ("t/<slug:slug>/audiences", "Merchant pages: audiences and lists"),
        ("t/<slug:slug>/lists", "Merchant pages: audiences and lists"),
        ("t/<slug:slug>/integrations", "Merchant pages: integrations"),
        ("t/<slug:slug>/fields", "Merchant pages: fields, events, dictionary"),
        ("t/<slug:slug>/events", "Merchant pages: fields, events, dictionary"),
        ("t/<slug:slug>/dictionary", "Merchant pages: fields, events, dictionary"),
        ("t/", "Merchant pages: overview, failures, runs"),
        ("healthz", "Machines that watch"),
        ("readyz", "Machines that watch"),
    ):
        if route.startswith(start):
            return title
    return "People: signing in, profile, invitations"


def write(known: dict[str, Any], clients: dict[str, Client]) -> str:
    sections: dict[str, list[str]] = {}
    models = of_models()
    for route in routes():
        if not any(route.startswith(start) for start in models):
            sections.setdefault(section_of(route), []).append(route)
    sections.pop("", None)
    parts = [HEAD]
    for title in sorted(sections, key=lambda title: (ORDER.index(title[:2]), title)):
        cells = table(
            sorted(set(sections[title])), lambda row, who: cell(clients[who], address_of(row, known))
        )
        parts.append(f"## {title}\n\n{cells}")
    words = (
        "What opens of each model: *see* is its list and one row of it. Superusers may add and change more."
    )
    starts = {start: newest(start) for start in sorted(models)}
    cells = table(list(starts), lambda row, who: model_cell(clients[who], row, starts[row]))
    parts.append(f"## Admin: models\n\n{words}\n\n{cells}")
    _, token = tokens.issue(tenant_of(known), "for the page")
    told = (
        "Tokens belong to one tenant. `/api/v1/docs` and `/api/v1/openapi.json` describe the calls, "
        "and are open to all.\n\n"
    )
    return "\n".join([*parts, f"## API\n\n{told}{api_table(Client(), clients['owner'], token)}"])


def test_the_page_is_what_the_portal_does(world, clients):
    written = write(world, clients)
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(written, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == written, f"Write it anew: {REWRITE}"
