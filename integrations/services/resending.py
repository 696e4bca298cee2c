"""Sending one person again, now: a run of their own in the live lane, so that it waits behind no job."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from integrations.errors import ConfigurationError
from integrations.models import (
    Delivery,
    DeliveryState,
    Extension,
    Health,
    LaneName,
    RunKind,
    RunStatus,
    RunTrigger,
    SentMembership,
    SentProfile,
    SyncBatch,
    SyncRun,
)
from integrations.models.runs import OPEN_STATUSES, RunPhase
from integrations.models.sent import Origin
from integrations.planning import batching, desired, messages
from integrations.services import course, lanes, routing, sync
from loyalty.models import Member
from portal.tenancy.models import User

TWIN_SECONDS = 10
STUCK = (DeliveryState.OPEN, DeliveryState.FAILED, DeliveryState.REJECTED, DeliveryState.HELD)


def open_events(extension: Extension, member_id: int) -> QuerySet[Delivery]:
    """The person's events that did not arrive; what was discarded on purpose stays so."""
    found = Delivery.objects.filter(extension=extension, member_id=member_id, state__in=STUCK)
    return found.exclude(code="discarded")


def resend(extension: Extension, member: Member, *, user: User | None, reason: str = "") -> SyncRun:
    """Send the profile, the lists and the open events of one member again; return the run.

    A double click finds the run that is open or was made seconds ago, and who is on their way already the run
    that carries them. Raises ConfigurationError where nothing could be sent now: the connection is off, or a
    person must mend it first.
    """
    _refuse(extension)
    with transaction.atomic():
        # The second of two clicks waits here for the first.
        Member.objects.select_for_update(no_key=True).only("pk").get(pk=member.pk)
        twin = _twin(extension, member)
        if twin:
            return twin
        routing.route(extension)
        on_its_way = _carrying(extension, member)
        if on_its_way:
            return on_its_way
        run = _run(extension, member, user, reason or f"Resent {member}")
        _plan(run, member)
        transaction.on_commit(lambda: lanes.nudge(extension.pk, LaneName.LIVE))
    return run


def _refuse(extension: Extension) -> None:
    if not extension.is_active:
        raise ConfigurationError(
            f"The connection {extension.name} is switched off. Switch it on, then send again."
        )
    if extension.health == Health.ATTENTION:
        raise ConfigurationError(
            f"Nothing can be sent now: {extension.health_reason or 'the connection needs attention.'} "
            "Mend the connection first; what waits is sent by itself then."
        )


def _twin(extension: Extension, member: Member) -> SyncRun | None:
    just_now = timezone.now() - timedelta(seconds=TWIN_SECONDS)
    same = Q(status__in=OPEN_STATUSES) | Q(created_at__gte=just_now)
    mine = SyncRun.objects.filter(
        same, extension=extension, kind=RunKind.LIVE, hour=None, member_ids=[member.pk]
    )
    return mine.order_by("-pk").first()


def _carrying(extension: Extension, member: Member) -> SyncRun | None:
    """The run that carries the member right now; what changed meanwhile follows it by itself."""
    flights = SentProfile.objects.filter(extension=extension, member=member).values("in_flight")
    batch = SyncBatch.objects.select_related("run").filter(pk__in=flights).first()
    return batch.run if batch else None


def _run(extension: Extension, member: Member, user: User | None, reason: str) -> SyncRun:
    now = timezone.now()
    deliveries = open_events(extension, member.pk) if extension.events_enabled else Delivery.objects.none()
    return SyncRun.objects.create(
        extension=extension,
        kind=RunKind.LIVE,
        trigger=RunTrigger.PERSON,
        status=RunStatus.RUNNING,
        phase=RunPhase.SEND,
        started_by=user,
        reason=reason[:300],
        force=True,
        member_ids=[member.pk],
        delivery_ids=sorted(deliveries.values_list("pk", flat=True)),
        started_at=now,
        progress_at=now,
        mappings=sync.mapping_snapshot(extension),
    )


def _plan(run: SyncRun, member: Member) -> None:
    """Batches of the live lane, at once; what is on its way in another batch is left to that one."""
    _forget_lists(run.extension, member)
    scope = batching.Scope(
        ids=(member.pk,),
        force=True,
        again=True,
        singles_up_to=settings.LIVE_SINGLE_LIMIT,
        lane=LaneName.LIVE,
    )
    planned = batching.plan_members(run, scope, 0)
    events = 0
    if run.delivery_ids:
        course.reopen(run)
        events = messages.plan_deliveries(
            run,
            lane=LaneName.LIVE,
            limit=len(run.delivery_ids),
            singles_up_to=settings.LIVE_SINGLE_LIMIT,
            only=run.delivery_ids,
        )
    course.count(run, planned)
    course.count(run, batching.Planned(None, pushed=events))
    if not SyncBatch.objects.filter(run=run).exists():
        run.refresh_from_db()
        course.finish(run)
        run.refresh_from_db()


def _forget_lists(extension: Extension, member: Member) -> None:
    """Whom we put on a list that they should be on is put there again; who was found there stays *found*.

    Only what the plan joins again is forgotten: who stays on a list and is not known to be there would never
    be taken off it.
    """
    _, hold = desired.of(extension, [member.pk]).get(member.pk, ({}, ""))
    if hold:
        return
    mine = SentMembership.objects.filter(
        mapping__extension=extension,
        mapping__is_paused=False,
        mapping__ending_at=None,
        mapping__read_at__isnull=False,
        mapping__problem="",
        mapping__audience__memberships__member=member,
        mapping__audience__memberships__left_at=None,
        member=member,
        origin=Origin.ADDED,
        in_flight=None,
    )
    SentMembership.objects.filter(pk__in=mine.values("pk")).delete()
