"""What goes where: inside a named connection fields, events and lists match the file exactly."""

from collections.abc import Sequence

from integrations.configuration.changes import Changes, difference
from integrations.configuration.wanted import WantedExtension, WantedField, WantedList
from integrations.models import AudienceMapping, EventMapping, Extension, FieldMapping
from loyalty.models import Audience
from loyalty.rules.event_kinds import KINDS


def apply(extension: Extension, file: WantedExtension, changes: Changes, *, is_new: bool) -> bool:
    """Make the mappings match; return whether profiles or lists must be looked at again."""
    fields = _fields(extension, file.fields, changes, is_new=is_new)
    _events(extension, file, changes)
    lists = _lists(extension, file.lists, changes)
    return fields or lists


def _fields(extension: Extension, wanted: Sequence[WantedField], changes: Changes, *, is_new: bool) -> bool:
    """What the file names no more is sent no more. Its values are left: clearing them is a person's word."""
    what = f"extension {extension.name}, property"
    present = {row.property: row for row in extension.field_mappings.all()}
    made = len(changes.made)
    gone = present.keys() - {one.property for one in wanted}
    for name in sorted(gone):
        changes.tell(f"{what} {name}", "removed; its values stay there")
    extension.field_mappings.filter(property__in=gone).delete()
    added = []
    for one in wanted:
        row = present.get(one.property)
        if row is None:
            added.append(
                FieldMapping(extension=extension, field=one.field, property=one.property, policy=one.policy)
            )
            if not is_new:
                changes.tell(f"{what} {one.property}", f"added, from {one.field}")
        elif told := difference(row, {"field": one.field, "policy": one.policy}):
            row.save(update_fields=["field", "policy"])
            changes.tell(f"{what} {one.property}", ", ".join(told))
    FieldMapping.objects.bulk_create(added)
    if is_new:
        changes.tell(f"extension {extension.name}", f"{len(added)} properties mapped")
    return len(changes.made) > made


def _events(extension: Extension, file: WantedExtension, changes: Changes) -> None:
    """A kind that is not named keeps its usual metric and is on: it needs no row."""
    present = {row.kind: row for row in extension.event_mappings.all()}
    for kind, wanted in file.events.items():
        row = present.pop(kind, None)
        what = f"extension {extension.name}, event {kind}"
        if row is None:
            if (wanted.metric, wanted.enabled) != (KINDS[kind].metric, True):
                changes.tell(what, f"{wanted.metric}, {'on' if wanted.enabled else 'off'}")
                EventMapping.objects.create(
                    extension=extension, kind=kind, metric=wanted.metric, is_enabled=wanted.enabled
                )
        elif told := difference(
            row, {"metric": wanted.metric, "is_enabled": wanted.enabled}, {"is_enabled": "on"}
        ):
            row.save(update_fields=["metric", "is_enabled"])
            changes.tell(what, ", ".join(told))
    for kind, row in present.items():
        if kind in KINDS and (row.metric, row.is_enabled) == (KINDS[kind].metric, True):
            continue
        changes.tell(f"extension {extension.name}, event {kind}", "as usual again")
        row.delete()


def _lists(extension: Extension, wanted: Sequence[WantedList], changes: Changes) -> bool:
    """A mapping is known by its list: another list is another mapping, so that who was put on the first
    is not taken for a member of the second. An audience may change under it.
    """
    present = {row.list_name: row for row in extension.audience_mappings.select_related("audience")}
    named = {one.list for one in wanted}
    for name in sorted(present.keys() - named):
        changes.tell(f"extension {extension.name}, list {name}", "removed; who is on it stays there")
    extension.audience_mappings.exclude(list_name__in=named).delete()
    by_slug = {audience.slug: audience for audience in Audience.objects.filter(tenant=extension.tenant_id)}
    results = [_list(extension, present.get(one.list), one, by_slug[one.audience], changes) for one in wanted]
    return any(results)


def _list(
    extension: Extension,
    row: AudienceMapping | None,
    one: WantedList,
    audience: Audience,
    changes: Changes,
) -> bool:
    what = f"extension {extension.name}, list {one.list}"
    values: dict[str, object] = {
        "audience": audience,
        "create_list": one.create,
        "remove_leavers": one.remove_leavers,
        "is_paused": one.paused,
    }
    if row is not None and row.problem and row.list_id:  # it is gone there: nobody is on the next one
        changes.tell(what, "looked for or made anew, as it was deleted there")
        row.delete()
        row = None
    elif row is None:
        changes.tell(what, f"added, for audience {one.audience}")
    if row is None:
        AudienceMapping.objects.create(extension=extension, list_name=one.list, **values)
        return True
    told = difference(row, values, {"create_list": "create", "is_paused": "paused"})
    if row.problem:
        told.append("tried again")
        row.problem = ""
    if row.ending_at:  # who was taken off already is put back by the run that follows
        told.append("kept, though it was being unlinked")
        row.ending_at = None
    if told:
        row.save(update_fields=[*values, "problem", "ending_at"])
        changes.tell(what, ", ".join(told).replace("_", " "))
    return bool(told)
