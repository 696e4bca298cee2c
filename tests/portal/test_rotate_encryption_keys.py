from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from integrations.models import SignInAttempt
from integrations.models.extensions import Extension
from portal import secret_rows
from portal.tenancy.models import Tenant
from portal.tenancy.secrets import Secret, UnreadableSecret
from tests.factories import make_user

pytestmark = pytest.mark.django_db
OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))


@pytest.fixture
def connections(settings: Any, monkeypatch: pytest.MonkeyPatch) -> list[Extension]:
    settings.ENCRYPTION_KEYS = [OLD]
    monkeypatch.setattr(secret_rows, "CHUNK", 2)
    tenant = Tenant.objects.create(slug="acme", name="Acme")
    for number in range(5):
        Extension.objects.create(
            tenant=tenant, name=f"c{number}", destination="klaviyo", secret=Secret(f"pk_{number}")
        )
    Extension.objects.create(tenant=tenant, name="none", destination="klaviyo")
    return list(Extension.objects.all())


def rotate() -> str:
    out = StringIO()
    call_command("rotate_encryption_keys", stdout=out)
    return out.getvalue()


def test_every_secret_is_under_the_first_key_afterwards(connections: list[Extension], settings: Any) -> None:
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    assert "integrations.Extension.secret: 5 encrypted again, 0 were already, 0 unreadable" in rotate()
    assert "integrations.Extension.secret: 0 encrypted again, 5 were already, 0 unreadable" in rotate()
    settings.ENCRYPTION_KEYS = [NEW]
    secrets = {row.name: row.secret and row.secret.reveal() for row in Extension.objects.all()}
    assert secrets == {**{f"c{number}": f"pk_{number}" for number in range(5)}, "none": None}


def test_what_no_key_fits_is_counted_and_kept(connections: list[Extension], settings: Any) -> None:
    settings.ENCRYPTION_KEYS = [NEW]
    with pytest.raises(CommandError, match="5 secrets fit none of the keys"):
        rotate()
    with pytest.raises(UnreadableSecret):
        secret_rows.read_newest()
    settings.ENCRYPTION_KEYS = [OLD]
    secret_rows.read_newest()
    assert Extension.objects.get(name="c3").secret == Secret("pk_3")


def test_tokens_and_verifiers_are_rotated_too(connections: list[Extension], settings: Any) -> None:
    Extension.objects.filter(name="c1").update(refresh_token=Secret("refresh"))
    user = make_user()
    SignInAttempt.objects.create(
        extension=connections[0], user=user, state_digest="0", verifier=Secret("verifier")
    )
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    told = rotate()
    settings.ENCRYPTION_KEYS = [NEW]
    assert "integrations.Extension.refresh_token: 1 encrypted again" in told
    assert Extension.objects.get(name="c1").refresh_token == Secret("refresh")
    assert SignInAttempt.objects.get().verifier == Secret("verifier")
