"""How often a click may send something to the world: mail to strangers is not ours to spend."""

from django.core.cache import cache


def may(what: str, *, seconds: int) -> bool:
    """True for the first who asks within so many seconds, in whichever process; False for the others.

    `what` is a key of the cache: no spaces.
    """
    return cache.add(f"pace:{what}", True, seconds)
