"""JSON:API resources: rows of the store as Klaviyo shows them."""

from __future__ import annotations

import json
from typing import Any

from integrations.klaviyo.sandbox import ids
from integrations.klaviyo.sandbox.payloads import LOCATION, TEXTS
from integrations.klaviyo.sandbox.store.database import Row
from integrations.klaviyo.sandbox.store.profiles import Profile
from integrations.klaviyo.sandbox.values import stamp

Json = dict[str, Any]


def resource(
    origin: str, kind: str, identifier: str, attributes: Json, relations: tuple[str, ...], path: str
) -> Json:
    """One resource with its own link and links to its relations."""
    url = f"{origin}/api/{path}/{identifier}"
    made: Json = {"type": kind, "id": identifier, "attributes": attributes}
    if relations:
        made["relationships"] = {name: {"links": relation_links(url, name)} for name in relations}
    made["links"] = {"self": url}
    return made


def relation_links(url: str, name: str) -> Json:
    return {"self": f"{url}/relationships/{name}", "related": f"{url}/{name}"}


def sparse(made: Json, wanted: list[str] | None) -> Json:
    """Keep only the wanted attributes; dotted names reach into objects."""
    if wanted is None:
        return made
    attributes: Json = made["attributes"]
    kept: Json = {}
    for name in wanted:
        _copy(attributes, kept, name.split("."))
    return {**made, "attributes": kept}


def _copy(source: Any, target: Json, path: list[str]) -> None:
    if not isinstance(source, dict) or path[0] not in source:
        return
    if len(path) == 1:
        target[path[0]] = source[path[0]]
        return
    inner = target.setdefault(path[0], {})
    if isinstance(inner, dict):
        _copy(source[path[0]], inner, path[1:])


def profile(origin: str, found: Profile) -> Json:
    location = found.attrs.get("location") or {}
    attributes: Json = {"email": found.email, "phone_number": found.phone, "external_id": found.external_id}
    attributes.update({name: found.attrs.get(name) for name in TEXTS})
    attributes["created"] = stamp(found.created)
    attributes["updated"] = stamp(found.updated)
    attributes["last_event_date"] = stamp(found.last_event)
    attributes["location"] = {name: location.get(name) for name in LOCATION}
    attributes["properties"] = found.props
    relations = ("lists", "segments", "push-tokens", "conversations")
    return resource(origin, "profile", found.id, attributes, relations, "profiles")


def list_(origin: str, row: Row) -> Json:
    attributes = {
        "name": row["name"],
        "created": stamp(row["created"]),
        "updated": stamp(row["updated"]),
        "opt_in_process": row["opt_in"],
    }
    identifier = ids.short_id(row["n"], "list")
    return resource(origin, "list", identifier, attributes, ("profiles", "tags", "flow-triggers"), "lists")


def metric(origin: str, row: Row) -> Json:
    attributes = {
        "name": row["name"],
        "created": stamp(row["created"]),
        "updated": stamp(row["updated"]),
        "integration": {"object": "integration", "id": "0rG4eQ", "name": "API", "category": "API"},
    }
    return resource(
        origin, "metric", ids.short_id(row["n"], "metric"), attributes, ("flow-triggers",), "metrics"
    )


def event(origin: str, row: Row, profile_id: str) -> Json:
    attributes = {
        "timestamp": row["at"],
        "event_properties": {**json.loads(row["props"]), "$event_id": row["unique_id"]},
        "datetime": stamp(row["at"]),
        "uuid": row["uuid"],
    }
    made = resource(
        origin,
        "event",
        ids.short_id(row["n"], "event", 11),
        attributes,
        ("profile", "metric", "attributions"),
        "events",
    )
    made["relationships"]["profile"]["data"] = {"type": "profile", "id": profile_id}
    made["relationships"]["metric"]["data"] = {
        "type": "metric",
        "id": ids.short_id(row["metric_n"], "metric"),
    }
    made["relationships"]["attributions"]["data"] = []
    return made


def flow(origin: str, row: Row) -> Json:
    attributes = {
        "name": row["name"],
        "status": row["status"],
        "archived": False,
        "created": stamp(row["created"]),
        "updated": stamp(row["created"]),
        "trigger_type": row["trigger_type"],
    }
    return resource(
        origin, "flow", ids.short_id(row["n"], "flow"), attributes, ("flow-actions", "tags"), "flows"
    )


def import_job(origin: str, row: Row) -> Json:
    attributes = {
        "status": row["status"],
        "created_at": stamp(row["created"]),
        "total_count": row["total"],
        "completed_count": row["done"],
        "failed_count": row["failed"],
        "completed_at": stamp(row["completed"]),
        "expires_at": stamp(row["created"] + 7 * 86_400),
        "started_at": stamp(row["started"]),
    }
    made = resource(
        origin,
        row["kind"],
        row["id"],
        attributes,
        ("lists", "profiles", "import-errors"),
        "profile-bulk-import-jobs",
    )
    list_numbers = json.loads(row["lists"])
    made["relationships"]["lists"]["data"] = [
        {"type": "list", "id": ids.short_id(number, "list")} for number in list_numbers
    ]
    del made["relationships"]["import-errors"]["links"]["self"]
    return made


def suppression_job(origin: str, row: Row) -> Json:
    attributes = {
        "status": row["status"],
        "created_at": stamp(row["created"]),
        "total_count": row["total"],
        "completed_count": row["done"],
        "completed_at": stamp(row["completed"]),
        "skipped_count": row["skipped"],
    }
    return resource(origin, row["kind"], row["id"], attributes, ("lists", "segments"), row["kind"] + "s")
