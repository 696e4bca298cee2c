"""A page that shows no secret needs no key to it: where the encryption keys are lost, people can still look."""

import pytest
from cryptography.fernet import Fernet

from integrations.models import Extension
from tests.factories import make_member, make_tenant, make_user
from tests.pages.builders import make_extension, make_troubled_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def lost(client, settings):
    """A connection by key and by OAuth whose secrets no present key opens; somebody who may see all."""
    tenant = make_tenant("acme")
    extension = make_extension(tenant, health="attention", refresh_token="never-to-be-seen")
    make_troubled_run(extension, make_member(tenant))
    client.force_login(make_user(tenant, email="root@example.com", is_staff=True, is_superuser=True))
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    return Extension.objects.only("pk").get()


@pytest.mark.parametrize(
    "address",
    [
        "/admin/",
        "/admin/integrations/syncrun/",
        "/admin/integrations/syncrow/",
        "/admin/integrations/delivery/",
        "/admin/integrations/erasure/",
        "/admin/support/",
        "/admin/audit/",
        "/t/acme/",
        "/t/acme/runs/",
        "/t/acme/failures/",
        "/t/acme/members/",
        "/t/acme/integrations/",
        "/t/acme/audiences/",
        "/t/acme/fields/",
        "/t/acme/events/",
        "/t/acme/settings/alerts/",
    ],
)
def test_pages_that_show_no_secret_open_without_its_key(client, lost, address):
    assert client.get(address).status_code == 200
