"""What becomes of a property that is not mapped any more: its values are left there, or cleared.

A property of a sent document that is neither mapped nor retired is *left*: it is no difference, nothing is
written because of it, and the next look at the member forgets that it was ever ours. A *retired* one is a
difference like any other, so that it is unset where it was sent, and nowhere else.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from integrations.models import Extension, SyncRun

PICTURES = 10  # runs looked back for the policy of a property that is gone


def counted_names(extension: Extension) -> list[str]:
    """The properties that make a difference: those that are mapped, and those that are being cleared."""
    mapped = extension.field_mappings.values_list("property", flat=True)
    return sorted(mapped.union(extension.retired_properties.values_list("property", flat=True)))


def counted(document: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    """A sent document without the properties that are left there."""
    properties = document.get("properties") or {}
    if properties.keys() <= set(names):
        return document
    return {**document, "properties": {name: properties[name] for name in properties if name in names}}


def counted_sql(column: str) -> str:
    """The same by the database; takes the names as its one parameter."""
    properties = f"COALESCE({column}->'properties', '{{}}'::jsonb)"
    left = f"ARRAY(SELECT jsonb_object_keys({properties} - %s::text[]))"
    return f"jsonb_set({column}, '{{properties}}', {properties} - {left})"


def forget(cursor: Any, extension: Extension) -> None:
    """Properties that are left there are ours no more: take them out of what was sent to the planned members.

    Only rows that have one are written, and nothing is called.
    """
    cursor.execute(
        f"""
        UPDATE integrations_sentprofile sp SET payload = {counted_sql("sp.payload")}
        FROM plan p WHERE p.has_left AND sp.member_id = p.member_id AND sp.extension_id = %s
        """,
        [counted_names(extension), extension.pk],
    )


def last_policies(extension: Extension) -> dict[str, str]:
    """Retired property → the exception under which it was sent last, "" where it had none.

    Its mapping is gone, so the runs' pictures of the mappings are the only place that still knows.
    """
    retired = extension.retired_properties.values_list("property", "created_at")
    return {name: _last_policy(extension, name, at) for name, at in retired}


def _last_policy(extension: Extension, name: str, retired_at: datetime) -> str:
    runs = SyncRun.objects.filter(extension=extension, created_at__lte=retired_at).order_by("-pk")
    for fields in runs.values_list("mappings__fields", flat=True)[:PICTURES]:
        for _, sent_as, policy in fields or []:
            if sent_as == name:
                return str(policy)
    return ""
