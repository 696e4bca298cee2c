import pytest

from loyalty.services import marks
from tests.factories import make_tenant


@pytest.fixture
def tenant(db):
    return make_tenant()


@pytest.fixture(autouse=True)
def announced(monkeypatch):
    """The port to the sync engine, replaced by a list of the tenants it was told of."""
    told = []
    monkeypatch.setattr(marks.queue, "announce", told.append)
    return told
