"""Waking the workers: a nudge when something changed, a ticket for a task in the queue.

A queued task only says "look at connection X in this lane". At most two are queued per connection and
lane. A lost task is found again by the clock.
"""

from django.db.models import F
from django.utils import timezone

from integrations.models import Extension, Health, Lane, LaneName
from portal.runtime import queue

TASKS = {LaneName.LIVE: "integrations.tasks.work_live", LaneName.BULK: "integrations.tasks.work_bulk"}


def nudge_tenant(tenant_id: int) -> None:
    """Something of the tenant changed: wake the live lane of its active connections, once."""
    lanes = Lane.objects.filter(
        extension__tenant_id=tenant_id, extension__is_active=True, name=LaneName.LIVE, nudged=False
    )
    for lane_id, extension_id in list(lanes.values_list("pk", "extension_id")):
        if Lane.objects.filter(pk=lane_id, nudged=False).update(nudged=True):
            send_ticket(extension_id, LaneName.LIVE)


def nudge(extension_id: int, name: str) -> None:
    """Wake one lane of one connection."""
    Lane.objects.filter(extension_id=extension_id, name=name).update(nudged=True)
    send_ticket(extension_id, name)


def send_ticket(extension_id: int, name: str) -> bool:
    """Queue a task unless two wait already; return whether one was queued."""
    lanes = Lane.objects.filter(extension_id=extension_id, name=name, tickets__lt=2)
    if not lanes.update(tickets=F("tickets") + 1, ticketed_at=timezone.now()):
        return False
    queue.enqueue(TASKS[LaneName(name)], extension_id, lane="live" if name == LaneName.LIVE else "bulk")
    return True


def take_ticket(extension_id: int, name: str) -> None:
    """A task has begun: its place in the queue is free."""
    Lane.objects.filter(extension_id=extension_id, name=name, tickets__gt=0).update(
        tickets=F("tickets") - 1, served_at=timezone.now()
    )


def is_workable(extension: Extension) -> bool:
    return extension.is_active and extension.health != Health.ATTENTION
