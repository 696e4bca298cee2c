import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext


@pytest.fixture
def count_queries(client):
    """Whether a page asks as many queries with fifty rows as with five."""

    def asked(address: str) -> int:
        client.get(address)
        with CaptureQueriesContext(connection) as found:
            assert client.get(address).status_code == 200
        return len(found)

    def compare(make, address: str) -> bool:
        for _ in range(5):
            make()
        few = asked(address)
        for _ in range(45):
            make()
        assert asked(address) == few
        return True

    return compare
