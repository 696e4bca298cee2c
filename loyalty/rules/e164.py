"""Phone numbers that are E.164 already, told without the library's full reading (ten times faster).

`contacts.phone` stays the rule: this only says where that would give the number back unchanged.
"""

import re
from functools import cache
from typing import Any

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

_PLAIN = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)


def is_plain(given: str) -> bool:
    """Whether the number is written as E.164, with a country code and a length that exist."""
    if not _PLAIN.fullmatch(given):
        return False
    for end in (2, 3, 4):
        rule = _rule(given[1:end])
        if rule is None:
            continue
        lengths, national_prefix = rule
        national = given[end:]
        # A national prefix (the 0 in +44 0791…) would be taken off: not for this short way.
        return len(national) in lengths and not (national_prefix and national_prefix.match(national))
    return False


@cache
def _rule(code: str) -> tuple[frozenset[int], "re.Pattern[str] | None"] | None:
    regions = COUNTRY_CODE_TO_REGION_CODE.get(int(code))
    if not regions:
        return None
    found: Any = (
        PhoneMetadata.metadata_for_nongeo_region(int(code), None)
        if regions[0] == "001"
        else PhoneMetadata.metadata_for_region(regions[0], None)
    )
    prefix = found.national_prefix_for_parsing
    return frozenset(found.general_desc.possible_length), re.compile(prefix) if prefix else None
