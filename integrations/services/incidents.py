"""What is wrong now: looked at once a minute for all connections, opened once, closed when it is right again."""

import logging
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.utils import timezone

from integrations.models import (
    AlertChannel,
    AlertMessage,
    AlertSettings,
    Extension,
    Health,
    Incident,
    IncidentKind,
    RunKind,
    RunStatus,
    SyncRun,
)
from integrations.services import freshness, run_history, run_stories
from portal.tenancy.models import Membership, Role
from portal.wording import counted, duration

logger = logging.getLogger(__name__)

# What came right must stay so for a moment before it is told: a connection that flaps is one incident.
SURE_AFTER = timedelta(seconds=60)
# A live hour with three changes of which one failed is no trouble of the connection's.
FEWEST_ROWS = 20
JUDGED = (RunStatus.SUCCEEDED, RunStatus.PARTLY_FAILED, RunStatus.FAILED)


@dataclass(frozen=True)
class Finding:
    """`words` say what is wrong; empty where it is right. What cannot be judged now is not found at all.

    `is_off`: nobody wants to know any more, so it ends without a message that it is right again.
    """

    kind: IncidentKind
    words: str = ""
    run_id: int | None = None
    is_off: bool = False


def watch(now: datetime | None = None) -> str:
    """Open what went wrong and close what came right; tells how many of each. Safe to repeat."""
    now = now or timezone.now()
    extensions = list(_watched())
    waits = freshness.waiting([extension.pk for extension in extensions])
    runs = _runs(extensions)
    known = {(found.extension_id, found.kind): found for found in Incident.objects.open()}
    opened = closed = 0
    for extension in extensions:
        wanted = wanted_by(extension)
        findings = [
            *_connection(extension, now),
            *_job(extension, runs, wanted),
            *_silence(extension, waits[extension.pk], wanted, now),
        ]
        for finding in findings:
            incident = known.get((extension.pk, finding.kind))
            if finding.words and incident is None:
                opened += open_one(extension, finding, now)
            elif not finding.words and incident is not None:
                incident.extension = extension  # at hand, and without its secrets
                closed += close_one(incident, now, tells=not finding.is_off)
    return f"{opened} opened, {closed} closed"


def wanted_by(extension: Extension) -> AlertSettings:
    """The tenant's settings, or the defaults."""
    found: AlertSettings | None = getattr(extension.tenant, "alert_settings", None)
    return found or AlertSettings(tenant_id=extension.tenant_id)


def _watched() -> QuerySet[Extension]:
    """Connections that ever reached an account, with what they are judged by.

    An hour of which too little is known yet does not push a bad one aside.
    """
    of_it = SyncRun.objects.filter(extension=OuterRef("pk")).order_by("-pk")
    last_job = of_it.exclude(kind=RunKind.LIVE).filter(status__in=JUDGED)
    tried = F("sent") + F("rejected") + F("failed")
    last_hour = of_it.filter(kind=RunKind.LIVE).alias(tried=tried).filter(tried__gte=FEWEST_ROWS)
    return (
        Extension.objects.filter(account_id__gt="")
        .select_related("tenant__alert_settings")
        .defer("secret", "refresh_token", "tenant__alert_settings__webhook_secret")
        .annotate(
            last_job_id=Subquery(last_job.values("pk")[:1]),
            last_hour_id=Subquery(last_hour.values("pk")[:1]),
            arrived_at=Subquery(of_it.filter(sent__gt=0).values("progress_at")[:1]),
        )
    )


def _runs(extensions: Iterable[Extension]) -> dict[int, SyncRun]:
    ids = {pk for found in extensions for pk in (found.last_job_id, found.last_hour_id) if pk}  # type: ignore[attr-defined]
    return {run.pk: run for run in run_history.runs().filter(pk__in=ids)}


def _connection(extension: Extension, now: datetime) -> list[Finding]:
    kind = IncidentKind.CONNECTION_LOST
    if extension.removed_at or (extension.is_active and extension.health == Health.ATTENTION):
        return [Finding(kind, extension.health_reason or "The connection was removed on the other side.")]
    if not extension.is_active:
        return [Finding(kind, is_off=True)]  # switched off by a person, who knows
    is_sure = extension.health == Health.OK and now - extension.health_since >= SURE_AFTER
    return [Finding(kind)] if is_sure else []


def _job(extension: Extension, runs: dict[int, SyncRun], wanted: AlertSettings) -> list[Finding]:
    job = runs.get(getattr(extension, "last_job_id", None) or 0)
    hour = runs.get(getattr(extension, "last_hour_id", None) or 0)
    findings = [] if job is None else [_failed(job)]
    judged = [run for run in (job, hour) if run is not None]
    if judged:
        findings.append(_many(max(judged, key=lambda run: run.pk), wanted.failed_share))
    return findings


def _failed(job: SyncRun) -> Finding:
    if job.status != RunStatus.FAILED:
        return Finding(IncidentKind.RUN_FAILED)
    name = run_history.destination_name(job.extension)
    return Finding(IncidentKind.RUN_FAILED, run_stories.sentence(job, name), job.pk)


def _tried(run: SyncRun) -> int:
    return run.sent + run.rejected + run.failed


def _many(run: SyncRun, share: int) -> Finding:
    tried, bad = _tried(run), run.rejected + run.failed
    if not tried or bad * 100 <= tried * share:
        return Finding(IncidentKind.MANY_FAILED)
    words = f"{bad:,} of {counted(tried, 'row')} of run #{run.pk} did not arrive; you asked to be told above {share} %."
    return Finding(IncidentKind.MANY_FAILED, words, run.pk)


def _silence(
    extension: Extension, waits: freshness.Waiting, wanted: AlertSettings, now: datetime
) -> list[Finding]:
    """Only where it is on and works: a lost connection is an incident of its own."""
    kind = IncidentKind.NOTHING_ARRIVES
    hours = wanted.quiet_hours
    if not hours or not extension.is_active:
        return [Finding(kind, is_off=True)]
    if extension.health != Health.OK:
        return []
    arrived_at = max(
        filter(None, [getattr(extension, "arrived_at", None), extension.active_since]), default=now
    )
    is_quiet = now - arrived_at >= timedelta(hours=hours)
    has_waited = waits.seconds(now) >= hours * 3600
    if not is_quiet or not (has_waited or wanted.even_if_idle):
        return [Finding(kind)]
    what = (
        f"{counted(waits.count, 'change waits', 'changes wait')}."
        if waits.count
        else "Nothing came in either."
    )
    return [Finding(kind, f"Nothing has arrived for {duration((now - arrived_at).total_seconds())}. {what}")]


@transaction.atomic
def open_one(extension: Extension, finding: Finding, now: datetime) -> bool:
    """One incident of a kind at a time: another process that saw the same adds nothing."""
    made = Incident(
        extension=extension,
        kind=finding.kind,
        words=finding.words[:500],
        run_id=finding.run_id,
        opened_at=now,
    )
    Incident.objects.bulk_create([made], ignore_conflicts=True)
    incident = Incident.objects.open().filter(extension=extension, kind=finding.kind, opened_at=now).first()
    if incident is None:
        return False
    incident.extension = extension
    _address(incident, is_recovery=False)
    logger.warning("incident %s opened: %s of connection %s", incident.pk, incident.kind, extension.pk)
    return True


@transaction.atomic
def close_one(incident: Incident, now: datetime, *, tells: bool) -> bool:
    if not Incident.objects.open().filter(pk=incident.pk).update(closed_at=now):
        return False
    if tells and wanted_by(incident.extension).tells_recovery:
        _address(incident, is_recovery=True)
    logger.info("incident %s is over", incident.pk)
    return True


def _address(incident: Incident, *, is_recovery: bool) -> None:
    """A message for each address, in the transaction of what it tells."""
    AlertMessage.objects.bulk_create(
        [
            AlertMessage(
                incident=incident, uid=uuid.uuid4(), is_recovery=is_recovery, channel=channel, target=target
            )
            for channel, target in targets(incident.extension)
        ],
        ignore_conflicts=True,
    )


def targets(extension: Extension) -> list[tuple[AlertChannel, str]]:
    """Where the tenant's alerts go; with no address of its own, to its owners."""
    wanted = wanted_by(extension)
    emails = list(wanted.emails) or list(
        Membership.objects.filter(
            tenant=extension.tenant_id, role=Role.OWNER, user__is_active=True
        ).values_list("user__email", flat=True)
    )
    found = [(AlertChannel.EMAIL, email) for email in dict.fromkeys(emails)]
    return [*found, (AlertChannel.WEBHOOK, wanted.webhook_url)] if wanted.webhook_url else found
