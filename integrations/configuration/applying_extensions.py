"""Connections of a file. No call to a destination: keys are checked by their form alone."""

from collections.abc import Sequence

from integrations.configuration import applying_mappings
from integrations.configuration.changes import Changes, difference
from integrations.configuration.wanted import WantedAuth, WantedExtension
from integrations.models import AuthMethod, Extension
from integrations.services import connections, health, tokens
from portal.tenancy.models import Tenant

# Columns whose change concerns every profile, so that all must be looked at again.
_FOR_EVERYBODY = ("merge_policy", "only_opted_in")


def apply(tenant: Tenant, wanted: Sequence[WantedExtension], changes: Changes) -> None:
    """Make the named connections match; those that go off do so first. Raises ConfigurationError."""
    known = set(tenant.extensions.values_list("name", flat=True))
    changed = [(file, *_extension(tenant, file, changes)) for file in wanted]
    for file, extension, is_due in sorted(changed, key=lambda one: one[0].active is not False):
        # A new connection is on unless the file says otherwise; one that was there keeps its state then.
        usual = extension.is_active or file.name not in known
        _switch(extension, usual if file.active is None else file.active, changes)
        _follow_up(extension, is_due, changes)
    named = [file.name for file in wanted]
    for name in tenant.extensions.exclude(name__in=named).order_by("name").values_list("name", flat=True):
        changes.leave(f"extension {name}")


def _extension(tenant: Tenant, file: WantedExtension, changes: Changes) -> tuple[Extension, bool]:
    """The connection with all but its switch; and whether every profile is concerned."""
    what = f"extension {file.name}"
    extension = Extension.objects.filter(tenant=tenant, name=file.name).first()
    is_new = extension is None
    if extension is None:
        extension = connections.create(tenant, destination=file.destination, name=file.name)
        changes.tell(what, "created")
    extension.tenant = tenant
    values: dict[str, object] = {
        "merge_policy": file.merge_policy,
        "only_opted_in": file.only_opted_in,
        "events_enabled": file.events_enabled,
        "base_url": file.base_url,
        "revision": file.revision,
        "throttle_share": file.throttle_share,
    }
    before = {name: getattr(extension, name) for name in _FOR_EVERYBODY}
    where = (extension.base_url, extension.revision)
    told = difference(extension, values)
    if told:
        extension.save(update_fields=list(values))
        changes.tell(what, ", ".join(told))
        if (extension.base_url, extension.revision) != where:
            _move(extension, where[0], changes)
    _auth(extension, file.auth, changes)
    is_due = any(getattr(extension, name) != value for name, value in before.items())
    mapped = applying_mappings.apply(extension, file, changes, is_new=is_new)
    return extension, is_due or mapped


def _move(extension: Extension, before: str, changes: Changes) -> None:
    if connections.follow_address(extension, before):
        gone = "access" if extension.auth_method == AuthMethod.OAUTH else "key"
        changes.tell(
            f"extension {extension.name}", f"{gone} cleared, because it was entered for another address"
        )


def _auth(extension: Extension, wanted: WantedAuth | None, changes: Changes) -> None:
    what = f"extension {extension.name}"
    if wanted is None:
        return
    if wanted.method == AuthMethod.PRIVATE_KEY:
        if wanted.secret and connections.store_key(extension, wanted.secret.reveal()):
            changes.tell(what, "key stored, checked as soon as a worker is there")
        return
    _to_be_connected(extension, changes)


def _to_be_connected(extension: Extension, changes: Changes) -> None:
    """A grant is kept, and a key until somebody connects in the browser; no call can make one here."""
    what = f"extension {extension.name}"
    if not extension.secret and extension.auth_method != AuthMethod.OAUTH:
        extension.auth_method = AuthMethod.OAUTH
        extension.save(update_fields=["auth_method"])
        health.forget(extension)
        changes.tell(what, f"method {extension.get_auth_method_display()}")
    where = f"open {tokens.connect_address(extension)}"
    if extension.removed_at is not None:
        changes.note(f"{what}: our access was removed there. To reconnect {where}")
    elif not extension.secret:
        changes.note(f"{what}: not connected yet. To connect {where}")
    elif extension.auth_method != AuthMethod.OAUTH:
        changes.note(f"{what}: still connected by its private key. To connect by OAuth instead {where}")


def _switch(extension: Extension, active: bool, changes: Changes) -> None:
    if active and extension.removed_at is not None:
        return  # it is switched on again by reconnecting
    if extension.is_active != active:
        connections.set_active(extension, active)
        changes.tell(f"extension {extension.name}", "switched on" if active else "switched off")


def _follow_up(extension: Extension, is_due: bool, changes: Changes) -> None:
    """On a connection that works already, everybody is looked at again without being told to."""
    if not is_due or not extension.is_active or not extension.account_id:
        return
    connections.everybody_is_due(extension, "Mapping changed")
    changes.note(f"extension {extension.name}: a full run follows by itself, so that everybody matches.")
