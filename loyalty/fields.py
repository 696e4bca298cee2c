"""The catalogue of what is known of a member: one list for mappings, audiences, previews and the API.

Every field is a PostgreSQL expression over Member, so that a million members are read as one is.
`attributes.<key>` names a field of the merchant's own; its type is that of each member's value.
"""

import difflib
from collections.abc import Iterable, Mapping

from django.db import connection
from django.db.models import Expression, Func, JSONField, QuerySet, TextField, Value
from django.db.models.functions import Cast

from loyalty.field_expressions import attribute, iso_text
from loyalty.field_list import STATIC, Field, FieldType
from loyalty.models import Member
from portal.tenancy.models import Tenant

__all__ = [
    "ATTRIBUTE",
    "STANDARD_PROPERTIES",
    "STATIC",
    "Field",
    "FieldType",
    "UnknownField",
    "all_fields",
    "annotate",
    "document",
    "get",
]

ATTRIBUTE = "attributes."
# What a new connection is given: field and the name of its property there.
STANDARD_PROPERTIES: tuple[tuple[str, str], ...] = (
    ("points_balance", "Points Balance"),
    ("points_lifetime", "Points Lifetime"),
    ("tier_name", "VIP Tier"),
    ("tier_since", "Tier Since"),
    ("points_expire_at", "Points Expire At"),
    ("points_expiring_next", "Points Expiring Next"),
    ("referral_url", "Referral URL"),
    ("state", "Loyalty State"),
    ("enrolled_at", "Member Since"),
)
_BY_KEY = {field.key: field for field in STATIC}
# Attributes are found by looking at this many of the newest members.
_LOOK_AT = 2_000
_JSON_TYPES = {
    "string": FieldType.TEXT,
    "number": FieldType.NUMBER,
    "boolean": FieldType.BOOLEAN,
    "array": FieldType.LIST,
}
# PostgreSQL takes at most 100 arguments to a function.
_PAIRS_PER_CALL = 40


class UnknownField(LookupError):
    """No field has this key; the message suggests the nearest."""


def get(key: str) -> Field:
    """The field of this key; any `attributes.<name>` is one."""
    if key in _BY_KEY:
        return _BY_KEY[key]
    if key.startswith(ATTRIBUTE) and len(key) > len(ATTRIBUTE):
        return _attribute(key.removeprefix(ATTRIBUTE), FieldType.ANY)
    near = difflib.get_close_matches(key, _BY_KEY, n=1)
    hint = f" Did you mean “{near[0]}”?" if near else ""
    raise UnknownField(f"“{key}” is not a field of a member.{hint}")


def all_fields(tenant: Tenant | None = None) -> dict[str, Field]:
    """Every field by its key; with a tenant also the attributes that its newest members have. One query."""
    found = dict(_BY_KEY)
    if tenant is not None:
        for name, kind in _attribute_types(tenant):
            found[ATTRIBUTE + name] = _attribute(name, kind)
    return found


def annotate(queryset: QuerySet[Member], keys: Iterable[str]) -> QuerySet[Member]:
    """Members with each field under `field_0`, `field_1`, … in the order of the keys."""
    return queryset.annotate(**{f"field_{place}": get(key).expression() for place, key in enumerate(keys)})


def document(names: Mapping[str, str]) -> Expression:
    """One jsonb object a member: property name → value of the field key.

    Numbers are numbers, lists arrays, times ISO text in UTC to the second; what is unknown is null.
    An attribute keeps its own value, so 0, false and "" stay as they are.
    """
    pairs = [(name, _as_json(get(key))) for name, key in names.items()]
    calls = [_object(pairs[at : at + _PAIRS_PER_CALL]) for at in range(0, len(pairs), _PAIRS_PER_CALL)]
    if not calls:
        return Value({}, output_field=JSONField())
    return Func(*calls, template="(%(expressions)s)", arg_joiner=" || ", output_field=JSONField())


def _object(pairs: list[tuple[str, Expression]]) -> Expression:
    arguments = [part for name, value in pairs for part in (Cast(Value(name), TextField()), value)]
    return Func(*arguments, function="jsonb_build_object", output_field=JSONField())


def _as_json(field: Field) -> Expression:
    return iso_text(field.expression()) if field.type is FieldType.DATETIME else field.expression()


def _attribute(name: str, kind: FieldType) -> Field:
    return Field(
        key=ATTRIBUTE + name,
        label=name,
        type=kind,
        expression=lambda: attribute(name),
        help="A field of your own.",
        group="Your attributes",
    )


def _attribute_types(tenant: Tenant) -> list[tuple[str, FieldType]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pair.key, array_agg(DISTINCT jsonb_typeof(pair.value)) FROM ("
            " SELECT attributes FROM loyalty_member WHERE tenant_id = %s ORDER BY id DESC LIMIT %s"
            ") AS newest, jsonb_each(newest.attributes) AS pair GROUP BY pair.key ORDER BY 1 LIMIT 500",
            [tenant.pk, _LOOK_AT],
        )
        return [
            (name, _JSON_TYPES.get("".join(kinds), FieldType.ANY))  # several types: any
            for name, kinds in cursor.fetchall()
        ]
