"""Between the password and the code: nobody is signed in yet, the session only knows who waits."""

import time

from axes.handlers.proxy import AxesProxyHandler
from django.contrib.auth import login
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from portal.tenancy.models import User

WAITS = "waits_for_code"
GOOD_FOR_SECONDS = 5 * 60


def wait_for_code(request: HttpRequest, user: User, next_url: str) -> None:
    """Remember who gave a right password; the session gets a new key, so that none can be planted."""
    request.session.cycle_key()
    request.session[WAITS] = {
        "user_id": user.pk,
        "backend": user.backend,
        "password": user.get_session_auth_hash(),  # of its hash: a new password ends the wait
        "at": time.time(),
        "next": next_url,
    }


def who_waits(request: HttpRequest) -> User | None:
    """The person whose code is awaited, or None when that took too long or something changed."""
    kept = request.session.get(WAITS)
    if not kept or time.time() - kept["at"] > GOOD_FOR_SECONDS:
        return None
    user = User.objects.filter(pk=kept["user_id"], is_active=True).first()
    if user is None or not constant_time_compare(user.get_session_auth_hash(), kept["password"]):
        return None
    return user


def let_in(request: HttpRequest, user: User) -> str:
    """Sign in; return the address that was asked for, or an empty text."""
    kept = request.session.pop(WAITS)
    login(request, user, backend=kept["backend"])
    return str(kept["next"])


def forget(request: HttpRequest) -> None:
    request.session.pop(WAITS, None)


def may_try(request: HttpRequest, user: User) -> bool:
    """False while too many wrong passwords or codes lock this person out."""
    return bool(AxesProxyHandler.is_allowed(request, {"username": user.email}))


def count_failure(request: HttpRequest, user: User) -> None:
    """A wrong code counts like a wrong password towards the lock-out."""
    user_login_failed.send(sender=__name__, credentials={"username": user.email}, request=request)
