"""Members as the API's document describes them. The rules themselves: loyalty/rules/member_input.py."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

MAX_MEMBERS = 1_000

EXAMPLE: dict[str, Any] = {
    "external_id": "C-1001",
    "email": "ada@example.com",
    "phone": "+447911123456",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "birthday": "1990-12-10",
    "attributes": {"favourite_store": "Soho"},
    "tags": ["newsletter"],
    "consent": {"email": "granted"},
}


class Consent(BaseModel):
    """What the person allowed on a channel. A text alone stands for `status`."""

    model_config = ConfigDict(extra="forbid")
    status: Literal["granted", "revoked"]
    source: str | None = Field(None, max_length=100, description="Where it was given, such as “checkout”.")
    text_version: str | None = Field(None, max_length=60, description="Which wording the person saw.")
    given_at: datetime | None = Field(
        None, description="When; without it, now, and only a change is recorded."
    )


class Consents(BaseModel):
    model_config = ConfigDict(extra="forbid")
    email: Consent | Literal["granted", "revoked"] | None = None
    sms: Consent | Literal["granted", "revoked"] | None = None


class MemberFields(BaseModel):
    """A field left out stays as it is; null or "" empties it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})
    email: str | None = Field(
        None,
        max_length=254,
        description="Stored in lower case. A malformed one is kept, warned of, never sent.",
    )
    phone: str | int | None = Field(
        None,
        description="Best as E.164 (+447911123456). A malformed one is kept, warned of, never sent.",
    )
    first_name: str | None = Field(None, max_length=150)
    last_name: str | None = Field(None, max_length=150)
    locale: str | None = Field(None, max_length=20, examples=["en-GB"])
    address1: str | None = Field(None, max_length=200)
    address2: str | None = Field(None, max_length=200)
    city: str | None = Field(None, max_length=120)
    region: str | None = Field(None, max_length=120)
    zip: str | int | None = Field(None, description="At most 20 characters.")
    country: str | None = Field(None, max_length=80, examples=["GB"])
    timezone: str | None = Field(None, max_length=64, examples=["Europe/London"])
    birthday: str | None = Field(None, description="1990-05-17, or 05-17 where the year is not known.")
    state: Literal["candidate", "member", "disabled"] | None = Field(
        None, description="A new one is a member."
    )
    enrolled_at: datetime | Literal[""] | None = Field(None, description="RFC 3339 with a zone.")
    referral_code: str | None = Field(None, max_length=60)
    referral_url: str | None = Field(None, max_length=500)
    attributes: dict[str, Any] | None = Field(
        None,
        description="Your own fields: names of up to 255 characters, any JSON. Merged; null removes one.",
    )
    tags: list[str] | Literal[""] | None = Field(
        None, description="Replaces all tags. At most 200 of 100 characters."
    )
    consent: Consents | None = None


class MemberItem(MemberFields):
    external_id: str | int = Field(..., description="Your own id of the person, 1 to 255 characters.")


class MembersBatch(BaseModel):
    """Members to create or change."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"members": [EXAMPLE]}]})
    members: list[MemberItem] = Field(..., max_length=MAX_MEMBERS)


class MemberPut(MemberFields):
    """The fields of one member. `external_id` may be repeated; it must then be that of the address."""

    external_id: str | int | None = None


class MemberResult(BaseModel):
    """What became of one item. `errors` and `warnings` are sentences, left out where there are none."""

    index: int
    external_id: str
    status: Literal["created", "updated", "unchanged", "refused"]
    errors: list[str] = []
    warnings: list[str] = []


class MemberResults(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "results": [
                        {"index": 0, "external_id": "C-1001", "status": "created"},
                        {
                            "index": 1,
                            "external_id": "",
                            "status": "refused",
                            "errors": ["external_id: is missing."],
                        },
                    ]
                }
            ]
        }
    )
    results: list[MemberResult]


class MemberShown(BaseModel):
    """A member as the portal knows them. Empty text: not known."""

    external_id: str
    email: str
    email_malformed: bool
    phone: str
    phone_malformed: bool
    first_name: str
    last_name: str
    locale: str
    address1: str
    address2: str
    city: str
    region: str
    zip: str
    country: str
    timezone: str
    birthday: str | None
    state: Literal["candidate", "member", "disabled"]
    enrolled_at: datetime | None
    referral_code: str
    referral_url: str
    attributes: dict[str, Any]
    tags: list[str]
    consent: dict[str, str] = Field(..., description="By channel; a channel never asked about is left out.")
    tier_slug: str | None
    tier_name: str | None
    tier_since: datetime | None
    points_balance: int
    points_lifetime: int
    points_expiring_next: int
    points_expire_at: datetime | None
    created_at: datetime
    updated_at: datetime


class MemberSaved(MemberShown):
    """The member after the call, and what the call did."""

    status: Literal["created", "updated", "unchanged"]
    warnings: list[str]
