"""A tenant as the YAML that makes it so: applied again, it changes nothing. Secrets are placeholders."""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from integrations.models import AuthMethod, EventMapping, Extension
from loyalty.models import Audience, Tier
from loyalty.rules.event_kinds import KINDS
from portal.tenancy.models import Tenant

_HEAD = "# Tenant {slug}. Set these variables before you apply it:{names}\n"


class Placeholders:
    """Names of environment variables, each used once: ACME_KLAVIYO_KEY, ACME_OWNER_PASSWORD, …"""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.names: list[str] = []

    def add(self, subject: str, what: str) -> str:
        plain = re.sub(r"[^A-Z0-9]+", "_", f"{self.tenant.slug}_{subject}_{what}".upper()).strip("_")
        plain = f"_{plain}" if plain[0].isdigit() else plain
        name, number = plain, 2
        while name in self.names:
            name, number = f"{plain}_{number}", number + 1
        self.names.append(name)
        return f"${{{name}}}"


def export(tenant: Tenant) -> str:
    """The whole tenant as YAML text."""
    placeholders = Placeholders(tenant)
    parts: dict[str, Any] = {
        "tenant": {
            "slug": tenant.slug,
            "name": _plain(tenant.name),
            "timezone": tenant.timezone,
            "currency": tenant.currency,
        },
        "users": list(_users(tenant, placeholders)),
        "tiers": [
            {"slug": tier.slug, "name": _plain(tier.name), "threshold": tier.threshold}
            for tier in Tier.objects.filter(tenant=tenant).order_by("threshold")
        ],
        "audiences": [_audience(audience) for audience in tenant.audiences.order_by("slug")],
        "extensions": [
            _extension(extension, placeholders)
            for extension in tenant.extensions.defer("secret", "refresh_token").order_by("name")
        ],
    }
    given = {name: part for name, part in parts.items() if part}
    body = yaml.safe_dump(given, sort_keys=False, allow_unicode=True, width=110)
    names = "".join(f"\n#   {name}" for name in placeholders.names) or " none."
    return _HEAD.format(slug=tenant.slug, names=names) + body


def _users(tenant: Tenant, placeholders: Placeholders) -> Iterator[dict[str, str]]:
    for membership in tenant.memberships.select_related("user").order_by("pk"):
        user = membership.user
        person = {"email": user.email, "role": membership.role}
        if user.has_usable_password():
            person["password"] = placeholders.add(user.email.partition("@")[0], "PASSWORD")
        yield person


def _audience(audience: Audience) -> dict[str, Any]:
    shown: dict[str, Any] = {"slug": audience.slug, "name": _plain(audience.name)}
    return shown | ({"static": True} if audience.is_static else {"rule": _rule(audience.rule)})


def _rule(rule: Any) -> Any:
    """The keys of a condition in the order of reading, which the database does not keep."""
    if isinstance(rule, list):
        return [_rule(part) for part in rule]
    if isinstance(rule, dict) and "op" in rule:
        return {key: _plain(rule[key]) for key in ("field", "op", "value") if key in rule}
    return {key: _rule(parts) for key, parts in rule.items()} if isinstance(rule, dict) else _plain(rule)


def _extension(extension: Extension, placeholders: Placeholders) -> dict[str, Any]:
    """What has its usual value is left out, except what a reader would look for."""
    shown: dict[str, Any] = {
        "name": _plain(extension.name),
        "destination": extension.destination,
        "active": extension.is_active,
    }
    has_secret = Extension.objects.filter(pk=extension.pk, secret__isnull=False).exists()
    if extension.auth_method == AuthMethod.OAUTH:
        shown["auth"] = {"method": "oauth"}
    elif has_secret:
        shown["auth"] = {"method": "private_key", "private_key": placeholders.add(extension.name, "KEY")}
    if extension.merge_policy:
        shown["merge_policy"] = extension.merge_policy
    shown |= {"only_opted_in": extension.only_opted_in, "events_enabled": extension.events_enabled}
    for name, usual in (("base_url", ""), ("revision", ""), ("throttle_share", 80)):
        if (value := getattr(extension, name)) != usual:
            shown[name] = value
    shown["fields"] = [
        {"field": _plain(row.field), "property": _plain(row.property)}
        | ({"policy": row.policy} if row.policy else {})
        for row in extension.field_mappings.all()
    ]
    events = {row.kind: _event(row) for row in extension.event_mappings.all() if row.kind in KINDS}
    if events:
        shown["events"] = events
    shown["lists"] = [
        {
            "audience": row.audience.slug,
            "list": _plain(row.list_name),
            "create": row.create_list,
            "remove_leavers": row.remove_leavers,
        }
        | ({"paused": True} if row.is_paused else {})
        for row in extension.audience_mappings.filter(ending_at=None).select_related("audience")
    ]
    return shown


def _event(row: EventMapping) -> dict[str, Any]:
    return {"metric": _plain(row.metric), "enabled": row.is_enabled}


def _plain(value: Any) -> Any:
    """Texts with ${ in them are escaped, or they would name a variable."""
    if isinstance(value, str):
        return value.replace("${", "$${")
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
