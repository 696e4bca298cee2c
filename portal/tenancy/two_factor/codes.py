"""Two-factor sign-in of a person: switched on, asked, switched off."""

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from portal.tenancy.models import User
from portal.tenancy.secrets import Secret, UnreadableSecret
from portal.tenancy.two_factor.devices import AuthenticatorDevice, RecoveryCode

RECOVERY_CODES = 10


class AlreadyOn(Exception):
    """The person has a confirmed device: it must be switched off before another is set up."""


@dataclass(frozen=True)
class Verdict:
    """`is_right`, or the words that say what to do; `was_tried` is False where nothing was compared."""

    is_right: bool = False
    was_tried: bool = True
    words: str = ""


def is_on(user: User) -> bool:
    return bool(AuthenticatorDevice.objects.filter(user=user, confirmed=True).exists())


def is_owed(user: User) -> bool:
    """Whether the settings ask this person for two-factor sign-in and they have not set it up."""
    return bool(settings.REQUIRE_TWO_FACTOR_FOR_STAFF) and user.is_staff and not is_on(user)


def begin(user: User) -> AuthenticatorDevice:
    """A device with a new key, not in use until `confirm`. Raises AlreadyOn."""
    key = Secret(base64.b32encode(secrets.token_bytes(20)).decode())
    with transaction.atomic():
        if _locked(user, confirmed=True) is not None:
            raise AlreadyOn
        AuthenticatorDevice.objects.filter(user=user).delete()
        made: AuthenticatorDevice = AuthenticatorDevice.objects.create(user=user, key=key)
    return made


def pending(user: User) -> AuthenticatorDevice | None:
    """The device that waits for its first code, with its key."""
    found: AuthenticatorDevice | None = (
        AuthenticatorDevice.objects.select_related("user").filter(user=user, confirmed=False).first()
    )
    return found


@transaction.atomic
def confirm(user: User, code: str) -> tuple[Verdict, list[str]]:
    """Switch on with the first code; the recovery codes can be read here and never again."""
    device = _locked(user, confirmed=False)
    if device is None:
        return Verdict(was_tried=False, words="Start again: this set-up is over."), []
    verdict = _by_app(device, _bare(code))
    if not verdict.is_right:
        return verdict, []
    device.confirmed = True
    device.save(update_fields=["confirmed"])
    return verdict, new_recovery_codes(user)


@transaction.atomic
def check(user: User, text: str) -> Verdict:
    """Compare a code of the app, or use up a recovery code. A failure makes the next try wait longer."""
    device = _locked(user, confirmed=True)
    if device is None:
        return Verdict(was_tried=False, words="Log in again.")
    bare = _bare(text)
    return _by_app(device, bare) if re.fullmatch(r"[0-9]{6}", bare) else _by_recovery(device, bare)


@transaction.atomic
def switch_off(user: User) -> bool:
    """Forget the device and the recovery codes. False if there was nothing to switch off."""
    device = _locked(user, confirmed=True)
    if device is None:
        return False
    device.delete()
    RecoveryCode.objects.filter(user=user).delete()
    return True


@transaction.atomic
def new_recovery_codes(user: User) -> list[str]:
    """Ten new codes in place of all that there were."""
    _locked(user, confirmed=True)
    RecoveryCode.objects.filter(user=user).delete()
    texts = [base64.b32encode(secrets.token_bytes(10)).decode().lower() for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create(RecoveryCode(user=user, digest=_digest(text)) for text in texts)
    return ["-".join(re.findall("....", text)) for text in texts]


def recovery_codes_left(user: User) -> int:
    return RecoveryCode.objects.filter(user=user, used_at=None).count()


def _locked(user: User, *, confirmed: bool) -> AuthenticatorDevice | None:
    """The device, its row locked: two tries at once would both pass with one code."""
    found: AuthenticatorDevice | None = (
        AuthenticatorDevice.objects.select_for_update(of=("self",))
        .filter(user=user, confirmed=confirmed)
        .defer("key")
        .first()
    )
    return found


def _by_app(device: AuthenticatorDevice, bare: str) -> Verdict:
    if wait := _must_wait(device):
        return wait
    if not re.fullmatch(r"[0-9]{6}", bare):
        return Verdict(was_tried=False, words="Type the six digits that the app shows now.")
    try:
        is_right = device.verify_token(bare)
    except UnreadableSecret:
        words = "The portal cannot read the key of your app any more. Use a recovery code, or ask your administrator."
        return Verdict(was_tried=False, words=words)
    words = "This code is not right, or it was used already. Wait for the next one, and check the time on your phone."
    return Verdict(is_right=is_right, words="" if is_right else words)


def _by_recovery(device: AuthenticatorDevice, bare: str) -> Verdict:
    if wait := _must_wait(device):
        return wait
    unused = RecoveryCode.objects.filter(user_id=device.user_id, digest=_digest(bare), used_at=None)
    if unused.update(used_at=timezone.now()) == 1:
        device.note_success()
        return Verdict(is_right=True)
    device.note_failure()
    return Verdict(words="This is neither a code of your app nor a recovery code that is still unused.")


def _must_wait(device: AuthenticatorDevice) -> Verdict | None:
    is_allowed, why = device.verify_is_allowed()
    if is_allowed:
        return None
    until: datetime = why["locked_until"]
    seconds = max(1, round((until - timezone.now()).total_seconds()))
    unit = "second" if seconds == 1 else "seconds"
    return Verdict(
        was_tried=False, words=f"Too fast after a wrong code. Wait {seconds} {unit}, then try again."
    )


def _bare(text: str) -> str:
    return re.sub(r"[\s-]", "", text).lower()


def _digest(bare: str) -> str:
    return hashlib.sha256(bare.encode()).hexdigest()
