"""PURE: the columns of the table that a file is copied into, and how values are written for COPY.

In it NULL means "not told". What cannot be NULL otherwise says "empty it" by a value of its own:
birth_month 0, enrolled_at -infinity; texts are emptied by an empty text.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from loyalty.rules.member_input import TEXT_LIMITS, MemberInput

NULL = r"\N"
TRUE, FALSE = "t", "f"
NO_DAY = "0"
NO_TIME = "-infinity"
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})

# Field of a file's column: stage columns that it fills, with their types.
FILLS: dict[str, tuple[tuple[str, str], ...]] = {
    "external_id": (("external_id", "text"),),
    "email": (("email", "text"), ("email_malformed", "boolean")),
    "phone": (("phone", "text"), ("phone_malformed", "boolean")),
    **{name: ((name, "text"),) for name in TEXT_LIMITS},
    "birthday": (("birth_year", "smallint"), ("birth_month", "smallint"), ("birth_day", "smallint")),
    "state": (("state", "text"),),
    "enrolled_at": (("enrolled_at", "timestamptz"),),
    "attributes": (("attributes", "jsonb"), ("attributes_gone", "text[]")),
    "tags": (("tags", "varchar[]"),),
    "consent.email": (("email_consent", "text"),),
    "consent.sms": (("sms_consent", "text"),),
    "points_balance": (("opening_balance", "bigint"),),
}
# What stands for a field of which nothing is told.
NOTHING = {field: "\t".join([NULL] * len(columns)) for field, columns in FILLS.items()}


def text(value: str) -> str:
    """A text for COPY."""
    return value if value.isprintable() and "\\" not in value else value.translate(_ESCAPES)


def array(values: Sequence[str]) -> str:
    """A list of texts for COPY, as an array literal."""
    quoted = (value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return text("{" + ",".join(f'"{value}"' for value in quoted) + "}")


def document(value: object) -> str:
    return text(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def of_member(member: MemberInput) -> dict[str, str]:
    """Every stage column that this member tells something of."""
    told = {"external_id": text(member.external_id)}
    for name, value in member.values.items():
        if name == "attributes":
            told |= _attributes(value)  # type: ignore[arg-type]  # member_input makes it a mapping
        elif name == "tags":
            told[name] = array(value)  # type: ignore[arg-type]  # member_input makes it a list
        else:
            told[name] = _scalar(name, value)
    for act in member.consents:
        told[f"{act.channel}_consent"] = act.status
    return told


def _attributes(value: Mapping[str, object]) -> dict[str, str]:
    """Attributes are merged by key; null takes one away."""
    gone = [key for key, inner in value.items() if inner is None]
    kept = {key: inner for key, inner in value.items() if inner is not None}
    return {"attributes": document(kept), "attributes_gone": array(gone) if gone else NULL}


def _scalar(name: str, value: object) -> str:
    if value is None:
        return {"birth_month": NO_DAY, "enrolled_at": NO_TIME}.get(name, NULL)
    if isinstance(value, bool):
        return TRUE if value else FALSE
    if isinstance(value, datetime):
        return value.isoformat()
    return text(str(value))
