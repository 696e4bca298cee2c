"""Makes a tenant match a file: create or change, in one transaction; a second time nothing changes."""

from collections.abc import Sequence
from contextlib import nullcontext

from django.db import transaction

from integrations.configuration import applying_extensions, applying_programme, applying_users
from integrations.configuration.changes import Changes, difference
from integrations.configuration.checking import check, check_against_rows
from integrations.configuration.problems import ConfigProblems, Document, Problem
from integrations.configuration.wanted import Wanted, WantedTenant
from integrations.errors import ConfigurationError
from portal.tenancy.models import Tenant


def apply_all(documents: Sequence[Document], *, dry_run: bool = False) -> list[Changes]:
    """Apply files in their order, each in a transaction of its own; return what each one changed.

    All are checked before the first is written. A dry run does the same and takes it back. Raises
    ConfigProblems with all problems of a file; nothing of that file is written then.
    """
    wanted = _checked(documents)
    done = []
    with transaction.atomic() if dry_run else nullcontext():
        for document, file in zip(documents, wanted, strict=True):
            done.append(_apply(document, file, dry_run=dry_run))
        if dry_run:
            transaction.set_rollback(True)
    return done


def _checked(documents: Sequence[Document]) -> list[Wanted]:
    wanted: list[Wanted] = []
    for document in documents:
        file = check(document)
        check_against_rows(document, file, wanted)
        wanted.append(file)
    return wanted


@transaction.atomic
def _apply(document: Document, file: Wanted, *, dry_run: bool) -> Changes:
    changes = Changes(file.tenant.slug)
    tenant = _tenant(file.tenant, changes)
    applying_users.apply(tenant, file.users, changes, dry_run=dry_run)
    try:
        applying_programme.apply(tenant, file, changes)
        applying_extensions.apply(tenant, file.extensions, changes)
    except ConfigurationError as error:
        raise ConfigProblems([Problem("", error.words)], document.source) from error
    return changes


def _tenant(wanted: WantedTenant, changes: Changes) -> Tenant:
    tenant = Tenant.objects.select_for_update().filter(slug=wanted.slug).first()
    given = {"name": wanted.name, "timezone": wanted.timezone, "currency": wanted.currency}
    values: dict[str, object] = {name: value for name, value in given.items() if value is not None}
    what = f"tenant {wanted.slug}"
    if tenant is None:
        tenant = Tenant.objects.create(slug=wanted.slug, **{"name": wanted.slug, **values})
        changes.tell(what, "created")
        return tenant
    told = difference(tenant, values)
    if told:
        tenant.save(update_fields=list(values))
        changes.tell(what, ", ".join(told))
    return tenant
