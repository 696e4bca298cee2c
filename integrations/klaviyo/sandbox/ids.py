"""Ids that look like Klaviyo's and lead back to a row number without an index.

Profiles have 26-character ULIDs, lists, metrics and flows six characters, events eleven: opaque to every
client, while here the row number is folded in, so that a million profiles need no index over their ids.
"""

from __future__ import annotations

import random
import string
import time

_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_VALUE62 = {char: value for value, char in enumerate(_BASE62)}
_BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUE32 = {char: value for value, char in enumerate(_BASE32)}
_FACTOR = 2_654_435_769  # odd and no multiple of 31, so that it has an inverse modulo any power of 62
_NUMBER_CHARS = 8


def short_id(number: int, salt: str, length: int = 6) -> str:
    """The public id of row `number`; `salt` keeps a list's id from being a metric's."""
    space = 62**length
    value = (number * _FACTOR + _shift(salt, space)) % space
    chars = []
    for _ in range(length):
        value, digit = divmod(value, 62)
        chars.append(_BASE62[digit])
    return "".join(reversed(chars))


def number_of(identifier: str, salt: str, length: int = 6) -> int | None:
    """The row number behind a short id, or None when it cannot be one."""
    if len(identifier) != length or any(char not in _VALUE62 for char in identifier):
        return None
    space = 62**length
    value = 0
    for char in identifier:
        value = value * 62 + _VALUE62[char]
    number = (value - _shift(salt, space)) * pow(_FACTOR, -1, space) % space
    return number if number < 2**40 else None


def _shift(salt: str, space: int) -> int:
    return int.from_bytes(salt.encode(), "big") * 7_919 % space


def profile_id(number: int) -> str:
    """A ULID: milliseconds, random bits, and the row number in its tail."""
    value = int(time.time() * 1000) << 40 | random.getrandbits(40)
    head = _base32(value, 18)
    return head + _base32(number, _NUMBER_CHARS)


def profile_number(identifier: str) -> int | None:
    if len(identifier) != 26:
        return None
    value = 0
    for char in identifier[-_NUMBER_CHARS:]:
        digit = _VALUE32.get(char)
        if digit is None:
            return None
        value = value << 5 | digit
    return value


# Two characters at a time: an import makes ten thousand ids in one go.
_PAIRS = [first + second for first in _BASE32 for second in _BASE32]


def _base32(value: int, length: int) -> str:
    return "".join([_PAIRS[value >> shift & 1023] for shift in range(5 * length - 10, -1, -10)])
