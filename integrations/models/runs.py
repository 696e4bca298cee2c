"""History of work: a run, its batches, and a row for everyone it touched."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from integrations.gateway.values import BatchKind
from integrations.models.extensions import Extension
from integrations.models.failures import Dismissal
from integrations.models.mappings import AudienceMapping
from loyalty.models import Member
from portal.tenancy.models import Tenant


class RunKind(models.TextChoices):
    FULL = "full", "Everything"
    CHANGES = "changes", "Changes"
    AUDIENCES = "audiences", "Audiences and lists"
    EVENTS = "events", "Events"
    PULL = "pull", "Read back"
    LIVE = "live", "Live"


class RunTrigger(models.TextChoices):
    PERSON = "person", "A person"
    COMMAND = "command", "Command line"
    API = "api", "API"
    SCHEDULE = "schedule", "Schedule"
    CHANGE = "change", "Changed data"
    RERUN = "rerun", "Re-run"


class RunStatus(models.TextChoices):
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    WAITING = "waiting", "Waiting"
    SUCCEEDED = "succeeded", "Succeeded"
    PARTLY_FAILED = "partly_failed", "Partly failed"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


OPEN_STATUSES = (RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.WAITING)


class RunPhase(models.TextChoices):
    """Where a running run stands; each phase is left only when its work is durable."""

    PREPARE = "prepare", "Refreshing audiences and lists"
    PLAN = "plan", "Working out what changed"
    SEND = "send", "Sending profiles"
    EVENTS = "events", "Sending events"
    DONE = "done", "Done"


class Verdict(models.TextChoices):
    ACCEPTED = "accepted", "Accepted, waiting"
    SENT = "sent", "Arrived"
    UNCHANGED = "unchanged", "Already up to date"
    REJECTED = "rejected", "Refused"
    FAILED = "failed", "Our side failed"
    HELD = "held", "Held"


class Action(models.TextChoices):
    CREATED = "created", "Created"
    UPDATED = "updated", "Updated"
    JOINED = "joined", "Joined"
    LEFT = "left", "Left"
    EVENT = "event", "Event"
    CLEARED = "cleared", "Cleared"
    NONE = "", "—"


class SyncRunQuerySet(models.QuerySet["SyncRun"]):
    def for_tenant(self, tenant: Tenant | int) -> "SyncRunQuerySet":
        return self.filter(extension__tenant=tenant)

    def open(self) -> "SyncRunQuerySet":
        return self.filter(status__in=OPEN_STATUSES)

    def jobs(self) -> "SyncRunQuerySet":
        """Runs that somebody started; the rolling live runs are left out."""
        return self.exclude(kind=RunKind.LIVE)


class SyncRun(models.Model):
    """One sync job. `member_ids` and `delivery_ids` narrow a re-run to what failed."""

    id = models.BigAutoField(primary_key=True)
    extension = models.ForeignKey(Extension, on_delete=models.CASCADE, related_name="runs")
    kind = models.CharField(max_length=10, choices=RunKind)
    trigger = models.CharField(max_length=10, choices=RunTrigger)
    status = models.CharField(max_length=13, choices=RunStatus, default=RunStatus.QUEUED)
    phase = models.CharField(max_length=8, choices=RunPhase, default=RunPhase.PREPARE)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(max_length=300, blank=True, default="")
    force = models.BooleanField(default=False, help_text="Send everything again, changed or not.")
    parent = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="reruns"
    )
    only_failed = models.BooleanField(default=False)
    member_ids = ArrayField(models.BigIntegerField(), null=True, blank=True, editable=False)
    delivery_ids = ArrayField(models.BigIntegerField(), null=True, blank=True, editable=False)
    mappings = models.JSONField(default=dict, blank=True, help_text="The mappings as they were.")
    cursor = models.BigIntegerField(default=0, editable=False, help_text="Last member id planned.")
    failures = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text="Of the present step, in a row."
    )
    not_before = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When the step is tried again."
    )
    passes = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text="How often it looked again."
    )
    note = models.CharField(
        max_length=500, blank=True, default="", help_text="What it waits for, or why it ended."
    )

    planned = models.PositiveBigIntegerField(default=0)
    accepted = models.PositiveBigIntegerField(default=0)
    sent = models.PositiveBigIntegerField(default=0)
    unchanged = models.PositiveBigIntegerField(default=0)
    rejected = models.PositiveBigIntegerField(default=0)
    failed = models.PositiveBigIntegerField(default=0)
    held = models.PositiveBigIntegerField(default=0)
    calls = models.PositiveBigIntegerField(default=0)

    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    progress_at = models.DateTimeField(null=True, blank=True)
    hour = models.DateTimeField(null=True, blank=True, editable=False, help_text="Of a live run.")

    objects: ClassVar[SyncRunQuerySet] = SyncRunQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = "run"
        ordering = ["-id"]
        permissions = [("rerun_syncrun", "Can re-run a run or its failed rows")]
        constraints = [
            # One job at a time, one of a kind behind it: a third start joins the one that waits.
            models.UniqueConstraint(
                fields=["extension"],
                condition=Q(status__in=["running", "waiting"]) & ~Q(kind="live"),
                name="run_one_running",
            ),
            models.UniqueConstraint(
                fields=["extension", "kind", "force"],
                condition=Q(status="queued", parent=None),
                name="run_one_queued_of_a_kind",
            ),
            models.UniqueConstraint(
                fields=["extension", "hour"], condition=Q(kind="live"), name="run_live_once_an_hour"
            ),
            models.CheckConstraint(condition=Q(kind="live") | Q(hour=None), name="run_hour_only_live"),
        ]
        indexes = [
            models.Index(fields=["extension", "-id"], name="run_of_extension"),
            models.Index(
                fields=["status"], name="run_open", condition=Q(status__in=["queued", "running", "waiting"])
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.get_kind_display()}"

    @property
    def counts(self) -> dict[str, int]:
        return {verdict: getattr(self, verdict) for verdict in Verdict.values}

    @property
    def seconds(self) -> float | None:
        if not self.started_at:
            return None
        end = self.finished_at or self.progress_at or self.started_at
        return round((end - self.started_at).total_seconds(), 3)

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATUSES


class BatchState(models.TextChoices):
    PLANNED = "planned", "Planned"
    SENDING = "sending", "Sending"
    ACCEPTED = "accepted", "Accepted"
    SETTLING = "settling", "Settling"
    SETTLED = "settled", "Settled"
    DEAD = "dead", "Gave up"


OPEN_BATCHES = (BatchState.PLANNED, BatchState.SENDING, BatchState.ACCEPTED, BatchState.SETTLING)


class SyncBatch(models.Model):
    """One unit of sending. `body` is the exact body, `manifest` what settling records; both zlib.

    Claimed by one conditional UPDATE of owner and lease. `attempts` counts sending only.
    """

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="batches")
    extension = models.ForeignKey(Extension, on_delete=models.CASCADE, related_name="+")
    lane = models.CharField(max_length=4, default="bulk")
    kind = models.CharField(max_length=13, choices=[(kind.value, kind.value) for kind in BatchKind])
    state = models.CharField(max_length=8, choices=BatchState, default=BatchState.PLANNED)
    mapping_ids = ArrayField(models.BigIntegerField(), default=list)
    member_ids = ArrayField(models.BigIntegerField(), default=list)
    delivery_ids = ArrayField(models.BigIntegerField(), default=list)
    body = models.BinaryField(null=True)
    manifest = models.BinaryField(null=True)
    rows = models.PositiveIntegerField(default=0)
    job_id = models.CharField(max_length=200, blank=True, default="")
    owner = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    polls = models.PositiveIntegerField(default=0)
    calls = models.PositiveIntegerField(default=0)
    code = models.CharField(max_length=60, blank=True, default="")
    words = models.CharField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    accepted_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "sync batches"
        ordering = ["id"]
        indexes = [
            models.Index(
                fields=["extension", "lane", "not_before"],
                name="batch_open",
                condition=Q(state__in=["planned", "sending", "accepted", "settling"]),
            ),
            models.Index(fields=["run", "id"], name="batch_of_run"),
        ]

    def __str__(self) -> str:
        return f"Batch #{self.pk} of run #{self.run_id}: {self.get_kind_display().lower()}"


class SyncRow(models.Model):
    """What became of one profile, membership or event in one run. Written at settling, never edited."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="rows")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="sync_rows")
    batch_id = models.BigIntegerField(null=True)
    verdict = models.CharField(max_length=9, choices=Verdict)
    action = models.CharField(max_length=7, choices=Action, blank=True, default="")
    mapping = models.ForeignKey(AudienceMapping, on_delete=models.SET_NULL, null=True, related_name="+")
    delivery_id = models.BigIntegerField(null=True)
    what = models.CharField(max_length=200, blank=True, default="", help_text="The list or metric meant.")
    code = models.CharField(max_length=60, blank=True, default="")
    words = models.CharField(max_length=500, blank=True, default="")
    changes = models.JSONField(null=True, help_text="Property: [before, after].")
    healed_at = models.DateTimeField(null=True, help_text="When a later row mended this one.")
    healed_by_id = models.BigIntegerField(null=True, help_text="The run whose row mended this one.")
    dismissal = models.ForeignKey(Dismissal, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["run", "verdict", "id"], name="row_open_of_run", condition=~Q(verdict="sent")
            ),
            models.Index(fields=["run", "id"], name="row_of_run"),
            models.Index(fields=["member", "-id"], name="row_of_member"),
            models.Index(fields=["created_at"], name="row_age"),
            models.Index(
                fields=["code", "created_at"],
                name="row_open_failure",
                condition=Q(verdict__in=["rejected", "failed"], healed_at=None, dismissal=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member}: {self.get_verdict_display().lower()} in run #{self.run_id}"
