"""E-mail addresses and phone numbers: the form that is stored, and whether it can be used."""

import re

import phonenumbers

from loyalty.rules import e164

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_EMAIL = re.compile(
    r"(?=.{6,254}$)(?=[^@]{1,64}@)[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    rf"@(?:{_LABEL}\.)+(?:[a-z]{{2,63}}|xn--[a-z0-9-]{{2,59}})"
)


def email(given: str) -> tuple[str, bool]:
    """The address trimmed and in lower case, and whether it is well formed."""
    address = given.strip().lower()
    return address, bool(_EMAIL.fullmatch(address))


def phone(given: str, region: str) -> tuple[str, bool]:
    """The number as E.164, read as one of `region` where it has no country code; else as given and False."""
    if e164.is_plain(given):
        return given, True
    try:
        number = phonenumbers.parse(given, region.upper() or None)
    except phonenumbers.NumberParseException:
        return given.strip(), False
    if not phonenumbers.is_possible_number(number):
        return given.strip(), False
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), True
