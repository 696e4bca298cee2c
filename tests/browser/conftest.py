import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integrations.models import Extension
from integrations.services import connections, grants
from portal.tenancy.models import Tenant, User
from tests.browser.traveller import DESK, Traveller
from tests.e2e.conftest import drain
from tests.factories import make_member, make_tenant, make_user
from tests.klaviyo.sandbox_process import SandboxAccount, SandboxProcess

CHROMIUM = Path("/usr/bin/chromium")
_number = itertools.count(1)


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """Debian's Chromium, driven by playwright; without it the test says why it was left out."""
    if not CHROMIUM.exists():
        pytest.skip("Chromium is not installed here (apt-get install chromium), so no page was driven.")
    from playwright.sync_api import sync_playwright

    # Playwright runs an event loop in this thread; Django would take its database calls for async ones.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield started
        started.close()
    os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE") if before is None else None


# What a journey goes through: the portal, the practice destination, an owner and a programme ---------------


@pytest.fixture(scope="session")
def other_side() -> Iterator[SandboxProcess]:
    """The practice destination, in a process of its own."""
    with SandboxProcess() as process:
        yield process


@pytest.fixture
def account(other_side: SandboxProcess) -> SandboxAccount:
    """An account there that nobody else uses."""
    return other_side.account(f"trip{os.getpid()}x{next(_number)}")


@pytest.fixture
def practising(settings: Any, live_server: Any, other_side: SandboxProcess) -> Any:
    """The live server, set up for signing in to the practice destination."""
    settings.PORTAL_URL = live_server.url
    settings.KLAVIYO_API_URL = other_side.url
    settings.KLAVIYO_AUTHORIZE_URL = f"{other_side.url}/oauth/authorize"
    settings.KLAVIYO_TOKEN_URL = f"{other_side.url}/oauth/token"
    settings.KLAVIYO_REVOKE_URL = f"{other_side.url}/oauth/revoke"
    settings.KLAVIYO_CLIENT_ID, settings.KLAVIYO_CLIENT_SECRET = "sandbox-client", "sandbox-secret"
    return live_server


@pytest.fixture
def tenant(transactional_db: None) -> Tenant:
    """Acme Coffee with three members, two of them rich, and nothing else."""
    tenant = make_tenant("acme", name="Acme Coffee")
    for name, last, points in (("Grace", "Hopper", 1240), ("Alan", "Turing", 800), ("Ann", "Poor", 5)):
        address = f"{name.lower()}@fernhill.test"
        make_member(tenant, name, first_name=name, last_name=last, email=address, points_balance=points)
    return tenant


@pytest.fixture
def owner(tenant: Tenant) -> User:
    return make_user(tenant, role="owner", email="ada@example.com")


@pytest.fixture
def connected(practising: Any, owner: User, tenant: Tenant, account: SandboxAccount) -> Extension:
    """Signed in, switched on, and everybody arrived."""
    extension = connections.create(tenant, destination="klaviyo", name="Klaviyo")
    extension.field_mappings.create(field="points_balance", property="Points Balance")
    extension = grants.finish(user=owner, **account.allow(grants.begin(extension, owner)))
    connections.set_active(extension, True)
    drain(extension)
    return extension


@pytest.fixture
def traveller(request: Any, browser: Any, practising: Any, other_side: SandboxProcess) -> Iterator[Traveller]:
    """At a desk, or as wide as the test asks; nothing may stand on the console, and no stranger be asked."""
    size = getattr(request, "param", DESK)
    context = browser.new_context(viewport=size, base_url=practising.url, reduced_motion="reduce")
    context.set_default_timeout(10_000)
    person = Traveller(context, home=practising.url, away=other_side.url)
    yield person
    context.close()
    assert person.said == []
    assert person.strangers == []
