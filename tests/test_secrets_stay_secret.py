"""A key and a token are in no table, log, page or audit trail in clear text."""

import logging
import subprocess

import pytest
from auditlog.models import LogEntry
from django.db import connection
from django.test import Client

from integrations.models import Extension
from integrations.services import connections
from portal.tenancy import invitations
from portal.tenancy.models import ApiToken, Role
from portal.tenancy.tokens import issue
from portal.tenancy.two_factor import codes
from tests.factories import make_tenant, make_user
from tests.tenancy.codes_of_app import switch_on

KEY = "pk_acme_NeverToBeSeen0123456789"


def dump() -> str:
    """Every row of every table, as text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        texts = []
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            texts += [row[0] or "" for row in cursor.fetchall()]
    return "\n".join(texts)


@pytest.mark.django_db
def test_secrets_are_in_no_table_and_no_audit_entry(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    tenant = make_tenant()
    extension = connections.create(tenant, destination="klaviyo", name="Klaviyo")
    connections.store_key(extension, KEY)
    connections.store_key(extension, KEY + "2")
    _, token = issue(tenant, "till")
    make_user(tenant, email="owner@acme.test", password="a-long-password-1")

    everything = dump()
    assert "owner@acme.test" in everything  # the dump sees what is there
    for secret in (KEY, token, "a-long-password-1"):
        assert secret not in everything
        assert secret not in caplog.text
    stored = Extension.objects.get(pk=extension.pk).secret
    assert stored is not None and stored.reveal() == KEY + "2"
    changes = " ".join(str(entry.changes) for entry in LogEntry.objects.all())
    assert "secret" in changes and "NeverToBeSeen" not in changes
    assert ApiToken.digest_of(token) not in changes


@pytest.mark.django_db
def test_what_opens_an_account_is_in_no_table_and_no_audit_entry(caplog: pytest.LogCaptureFixture) -> None:
    """The key of an authenticator app, recovery codes, and the link of an invitation."""
    caplog.set_level(logging.DEBUG)
    tenant = make_tenant()
    owner = make_user(tenant, email="owner@acme.test")
    key, recovery = switch_on(owner)
    codes.check(owner, recovery[0])
    _, link = invitations.make(tenant, email="new@acme.test", role=Role.VIEWER, by=owner)
    token = link.rstrip("/").rsplit("/", 1)[1]

    everything = dump()
    assert "new@acme.test" in everything
    for secret in (key, token, *recovery, recovery[0].replace("-", "")):
        assert secret not in everything
        assert secret not in caplog.text
    changes = " ".join(str(entry.changes) for entry in LogEntry.objects.all())
    assert invitations.digest_of(token) not in changes and "confirmed" in changes


@pytest.mark.django_db
def test_secrets_are_on_no_page_of_the_admin(client: Client) -> None:
    tenant = make_tenant()
    extension = connections.create(tenant, destination="klaviyo", name="Klaviyo")
    connections.store_key(extension, KEY)
    token_row, token = issue(tenant, "till")
    client.force_login(make_user(email="root@acme.test", is_staff=True, is_superuser=True))
    pages = [
        f"/admin/integrations/extension/{extension.pk}/change/",
        f"/admin/integrations/extension/{extension.pk}/history/",
        "/admin/integrations/extension/",
        f"/admin/tenancy/apitoken/{token_row.pk}/change/",
        "/admin/auditlog/logentry/",
    ]
    for page in pages:
        answer = client.get(page)
        assert answer.status_code == 200, page
        body = answer.content.decode()
        assert KEY not in body and token not in body and token_row.digest not in body, page


def test_no_secret_is_committed() -> None:
    """Keys that look real have no business in the repository."""
    found = subprocess.run(
        ["git", "grep", "-nIE", r"pk_[0-9a-f]{34}|BEGIN (RSA )?PRIVATE KEY"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert not found.stdout
