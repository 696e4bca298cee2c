"""From where a person signs in: axes counts wrong passwords by it."""

from django.conf import settings
from django.http import HttpRequest


def of(request: HttpRequest) -> str:
    """The address that the outermost of our own proxies saw.

    Whoever asks may write X-Forwarded-For, and each proxy appends to it: only as many entries as there are
    proxies of ours, from the right, are true. Without any, the header counts for nothing.
    """
    count: int = settings.TRUSTED_PROXIES
    told = [part.strip() for part in str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",")]
    if count and len(told) >= count and told[-count]:
        return told[-count]
    return str(request.META.get("REMOTE_ADDR", ""))
