"""A CSV file from text, and an import of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loyalty.importing import importer
from loyalty.importing.reports import Report
from portal.tenancy.models import Tenant
from tests.factories import make_tenant


@pytest.fixture
def tenant(db: None) -> Tenant:
    return make_tenant("acme")


@pytest.fixture
def take(tenant: Tenant, tmp_path: Path) -> Callable[..., Report]:
    """Import a text (or bytes) for the tenant."""

    def go(content: str | bytes, **options: Any) -> Report:
        path = tmp_path / "members.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return importer.import_members(tenant, path, **options)

    return go
