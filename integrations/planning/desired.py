"""What a destination should have of each member: one document a member, computed by the database.

A document has the standard keys of the port and "properties" under the names of the field mappings. A
value that is unknown is absent. The same expressions serve the bulk plan, the live lane and the pages.
"""

from collections.abc import Collection
from typing import Any

from django.db.models import (
    Case,
    CharField,
    Exists,
    Expression,
    F,
    Func,
    JSONField,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import JSONObject

from integrations.gateway.values import STANDARD_KEYS
from integrations.models import Extension
from loyalty import fields
from loyalty.models import Member

NOT_OPTED_IN = "not_opted_in"
NO_IDENTIFIER = "no_identifier"
SHARED_EMAIL = "shared_email"
SHARED_PHONE = "shared_phone"
REFUSED_BEFORE = "refused_before"
EXISTING_PROFILE = "existing_profile"
TOO_LARGE = "row_too_large"

HOLD_WORDS = {
    NOT_OPTED_IN: "Held: has not allowed marketing, and this connection sends only members who have.",
    NO_IDENTIFIER: "Held: no usable e-mail address or phone number. Correct one of them and it is sent by itself.",
    SHARED_EMAIL: "Held: another member has the same e-mail address, and the older one keeps the profile. "
    "Give one of them another address.",
    SHARED_PHONE: "Held: another member has the same phone number, and there is no e-mail address to tell them apart.",
    REFUSED_BEFORE: "Held: this data was refused before and has not changed since. "
    "Correct it, or re-run the failed rows.",
    EXISTING_PROFILE: "Held: the profile was there before us, and this connection leaves existing profiles alone.",
    TOO_LARGE: "Held: the profile is larger than the destination takes (100 KB). Shorten its fields.",
}


class StripNulls(Func):
    function = "jsonb_strip_nulls"
    output_field = JSONField()


def _older(name: str) -> Exists:
    """Whether an older member of the same tenant has the same usable e-mail or phone.

    `> ''` is said again so that the partial index of the search serves this look-up too.
    """
    same = {name: OuterRef(name), f"{name}__gt": "", f"{name}_malformed": False}
    return Exists(Member.objects.filter(tenant_id=OuterRef("tenant_id"), pk__lt=OuterRef("pk"), **same))


def _phone() -> Expression:
    """A usable phone number, left to the older member where two share it."""
    is_ours = Q(phone_malformed=False, phone__gt="") & ~Q(_older("phone"))
    return Case(When(is_ours, then=F("phone")), default=None, output_field=CharField(null=True))


def document(extension: Extension) -> Expression:
    """The expression of a member's document for this connection."""
    names = {key: key for key in STANDARD_KEYS if key not in ("email", "phone")} | {"email": "usable_email"}
    mapped = {mapping.property: mapping.field for mapping in extension.field_mappings.all()}
    parts = JSONObject(phone=_phone(), properties=fields.document(mapped))
    whole = Func(
        fields.document(names),
        parts,
        template="(%(expressions)s)",
        arg_joiner=" || ",
        output_field=JSONField(),
    )
    return StripNulls(whole)


def hold(extension: Extension) -> Expression:
    """The expression of why a member is not sent; empty when it may be."""
    has_email = Q(email__gt="", email_malformed=False)
    has_phone = Q(phone__gt="", phone_malformed=False)
    rules = []
    if extension.only_opted_in:
        rules.append(When(~Q(email_consent="granted") & ~Q(sms_consent="granted"), then=Value(NOT_OPTED_IN)))
    rules += [
        When(~has_email & ~has_phone, then=Value(NO_IDENTIFIER)),
        When(has_email & Q(_older("email")), then=Value(SHARED_EMAIL)),
        When(~has_email & Q(_older("phone")), then=Value(SHARED_PHONE)),
    ]
    return Case(*rules, default=Value(""), output_field=CharField())


def members(extension: Extension) -> QuerySet[Member, tuple[int, dict[str, Any], str]]:
    """(id, document, hold) of every member of the connection's tenant, in no order."""
    queryset = Member.objects.filter(tenant_id=extension.tenant_id)
    return queryset.annotate(_document=document(extension), _hold=hold(extension)).values_list(
        "pk", "_document", "_hold"
    )


def of(extension: Extension, ids: Collection[int]) -> dict[int, tuple[dict[str, Any], str]]:
    """Document and hold of some members, by id; who does not exist is absent."""
    return {pk: (values, why) for pk, values, why in members(extension).filter(pk__in=list(ids))}
