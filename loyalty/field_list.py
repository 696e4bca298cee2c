"""The fields every programme has, as a table."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from django.db.models import Expression

from loyalty import field_expressions as read


class FieldType(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"  # ISO text, --MM-DD where the year is not known; it comes round every year
    DATETIME = "datetime"
    LIST = "list"
    ANY = "any"  # an attribute: whatever JSON value the merchant gave


@dataclass(frozen=True)
class Field:
    """One thing known of a member. `expression` makes a new expression, null where it is unknown."""

    key: str
    label: str
    type: FieldType
    expression: Callable[[], Expression]
    help: str = ""
    group: str = "Profile"
    sample: object = None


def _text(key: str, label: str, sample: str, *, help: str = "", group: str = "Profile") -> Field:
    return Field(key, label, FieldType.TEXT, partial(read.text, key), help, group, sample)


def _column(key: str, label: str, kind: FieldType, sample: object, *, help: str = "", group: str) -> Field:
    return Field(key, label, kind, partial(read.column, key), help, group, sample)


TEXT, NUMBER, DATE, DATETIME, LIST = (
    FieldType.TEXT, FieldType.NUMBER, FieldType.DATE, FieldType.DATETIME, FieldType.LIST,
)  # fmt: skip
_MOMENT = "2026-03-01T09:30:00Z"

STATIC: tuple[Field, ...] = (
    _text("external_id", "Member id", "C-1001", help="The merchant's own id of this person."),
    _text("email", "E-mail", "ada@example.com"),
    _text("phone", "Phone", "+447700900123"),
    Field("usable_email", "E-mail that can be used", TEXT, partial(read.usable, "email"),
          "Unknown where the address is malformed.", sample="ada@example.com"),
    Field("usable_phone", "Phone that can be used", TEXT, partial(read.usable, "phone"),
          "Unknown where the number is malformed.", sample="+447700900123"),
    _text("first_name", "First name", "Ada"),
    _text("last_name", "Last name", "Lovelace"),
    Field("full_name", "Full name", TEXT, read.full_name, sample="Ada Lovelace"),
    _text("locale", "Locale", "en-GB"),
    _text("timezone", "Time zone", "Europe/London"),
    Field("birthday", "Birthday", DATE, read.birthday, "Without its year: --05-17.", sample="1990-05-17"),
    Field("birthday_month_day", "Birthday, month and day", TEXT, read.month_day, sample="05-17"),
    _column("tags", "Tags", LIST, ["wholesale"], group="Profile"),
    _text("address1", "Address", "1 High Street", group="Location"),
    _text("address2", "Address, second line", "Flat 2", group="Location"),
    _text("city", "City", "London", group="Location"),
    _text("region", "Region", "Greater London", group="Location"),
    _text("zip", "Postcode", "N1 9GU", group="Location"),
    _text("country", "Country", "GB", group="Location"),
    _text("state", "State", "member", help="candidate, member or disabled.", group="Programme"),
    _column("enrolled_at", "Member since", DATETIME, _MOMENT, group="Programme"),
    _column("created_at", "First seen here", DATETIME, _MOMENT, group="Programme"),
    _column("last_activity_at", "Last activity", DATETIME, _MOMENT,
            help="Points last earned or redeemed.", group="Programme"),
    _text("referral_code", "Referral code", "ADA10", group="Programme"),
    _text("referral_url", "Referral link", "https://acme.example/r/ADA10", group="Programme"),
    Field("audiences", "Audiences", LIST, read.audiences, "Their short names.",
          "Programme", ["gold-members"]),
    _column("points_balance", "Points balance", NUMBER, 1240, group="Points"),
    _column("points_lifetime", "Points ever earned", NUMBER, 3100, group="Points"),
    _column("points_expiring_next", "Points that expire next", NUMBER, 200, group="Points"),
    _column("points_expire_at", "Next points expire at", DATETIME, _MOMENT, group="Points"),
    Field("tier_slug", "Tier, short name", TEXT, partial(read.tier, "slug"), "", "Tier", "gold"),
    Field("tier_name", "Tier", TEXT, partial(read.tier, "name"), "", "Tier", "Gold"),
    _column("tier_since", "Tier since", DATETIME, _MOMENT, group="Tier"),
    Field("next_tier_name", "Next tier", TEXT, read.next_tier_name, "", "Tier", "Platinum"),
    Field("points_to_next_tier", "To the next tier", NUMBER, read.points_to_next_tier, "", "Tier", 760),
    _text("email_consent", "E-mail consent", "granted", help="granted, revoked or unknown.", group="Consent"),
    _text("sms_consent", "SMS consent", "granted", help="granted, revoked or unknown.", group="Consent"),
)  # fmt: skip
