"""An authenticator app for tests."""

import base64
import time

from django_otp.oath import TOTP

from portal.tenancy.models import User
from portal.tenancy.two_factor import codes


def code_of(key: str, *, steps_ahead: int = 0) -> str:
    """What an app with this key shows, now or some steps of thirty seconds later."""
    generator = TOTP(base64.b32decode(key.replace(" ", "")))
    generator.time = time.time() + 30 * steps_ahead
    return f"{generator.token():06d}"


def switch_on(user: User) -> tuple[str, list[str]]:
    """Two-factor sign-in for this person, by the code before the present one: its key and recovery codes."""
    key = codes.begin(user).key_text()
    verdict, recovery = codes.confirm(user, code_of(key, steps_ahead=-1))
    assert verdict.is_right
    return key, recovery
