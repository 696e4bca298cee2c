"""What a told member changes in the one that is kept: decided here, written elsewhere."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

# What a member is before anything is told of it; every field that can be told, and no other.
BLANK: dict[str, object] = {
    "email": "",
    "email_malformed": False,
    "phone": "",
    "phone_malformed": False,
    "first_name": "",
    "last_name": "",
    "locale": "",
    "address1": "",
    "address2": "",
    "city": "",
    "region": "",
    "zip": "",
    "country": "",
    "timezone": "",
    "birth_year": None,
    "birth_month": None,
    "birth_day": None,
    "state": "member",
    "enrolled_at": None,
    "referral_code": "",
    "referral_url": "",
    "attributes": {},
    "tags": [],
}
COLUMNS = tuple(BLANK)


@dataclass
class Draft:
    """One member while a list is worked through. `member_id` None: to be created."""

    external_id: str
    values: dict[str, object]
    member_id: int | None = None
    state_before: str = ""
    contacts_before: tuple[str, str] = ("", "")
    is_changed: bool = False

    def merge(self, told: Mapping[str, object]) -> bool:
        """Take over what was told; return whether that changes anything."""
        merged = {**self.values, **told, "attributes": self._attributes(told)}
        is_new = any(merged[name] != self.values[name] for name in told if name != "attributes") or (
            "attributes" in told and _canonical(merged["attributes"]) != _canonical(self.values["attributes"])
        )
        self.values = merged
        self.is_changed = self.is_changed or is_new
        return is_new

    def _attributes(self, told: Mapping[str, object]) -> object:
        """Merged key by key, where null removes; None instead of a mapping clears them."""
        before = self.values["attributes"]
        if "attributes" not in told:
            return before
        given = told["attributes"]
        if not isinstance(given, Mapping) or not isinstance(before, Mapping):
            return {}
        return {name: value for name, value in {**before, **given}.items() if value is not None}

    @property
    def has_joined(self) -> bool:
        """Whether the person is a member now and was not before."""
        return self.values["state"] == "member" and self.state_before in ("", "candidate")


def _canonical(attributes: object) -> str:
    """As text, because to Python 1 equals true."""
    return json.dumps(attributes, sort_keys=True)
