"""Rows of the engine for tests of pages: made as they lie in the database, without any service."""

from typing import Any

from django.utils import timezone

from integrations.models import Extension, Lane, LaneName, SyncRow, SyncRun
from loyalty.models import Member
from portal.tenancy.models import Tenant

SECRET = "pk_ACME01_never-to-be-seen"


def make_extension(tenant: Tenant, **fields: Any) -> Extension:
    now = timezone.now()
    given = {
        "destination": "klaviyo",
        "name": "Klaviyo",
        "is_active": True,
        "active_since": now,
        "secret": SECRET,
        "health": "ok",
        "account_name": "Acme",
        **fields,
    }
    extension = Extension.objects.create(tenant=tenant, **given)
    Lane.objects.bulk_create(Lane(extension=extension, name=name) for name in LaneName.values)
    return extension


def make_run(extension: Extension, **fields: Any) -> SyncRun:
    """A run that is over, unless its status says otherwise."""
    now = timezone.now()
    given = {"kind": "full", "trigger": "person", "status": "succeeded", "phase": "done", **fields}
    given.setdefault("started_at", now)
    if given["status"] not in ("queued", "running", "waiting"):
        given.setdefault("finished_at", now)
    return SyncRun.objects.create(extension=extension, **given)


def make_row(run: SyncRun, member: Member, verdict: str = "sent", **fields: Any) -> SyncRow:
    return SyncRow.objects.create(run=run, member=member, verdict=verdict, **fields)


def make_troubled_run(extension: Extension, member: Member, **fields: Any) -> SyncRun:
    """One row of it was refused."""
    run = make_run(extension, status="partly_failed", sent=3, rejected=1, planned=4, **fields)
    make_row(run, member, "rejected", code="invalid_email", words="This address cannot exist. Correct it.")
    return run
