"""Why? One member and one connection: what should be, what was sent, what is there now, and what to do."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from integrations.errors import DestinationError
from integrations.models import Extension
from integrations.services import (
    addresses,
    member_compare,
    member_lists,
    member_now,
    member_standing,
    member_story,
    member_timeline,
    resending,
)
from integrations.views.runs import number
from loyalty.models import Member
from portal.tenancy.guards import TenantRequest, tenant_view
from portal.tenancy.models import Role


@require_safe
@tenant_view()
def why(request: TenantRequest, member_id: int) -> HttpResponse:
    member = _member(request, member_id)
    extension, others = _connection(request)
    if extension is None:
        return render(request, "integrations/why.html", {"member": member, "standing": None})
    standing = member_standing.of(extension, member)
    return render(request, "integrations/why.html", {**page_of(standing), "others": others})


@require_safe
@tenant_view()
def now(request: TenantRequest, member_id: int) -> HttpResponse:
    """The comparison with what is there at this moment: a part for the page, or the page with it."""
    member = _member(request, member_id)
    extension, others = _connection(request)
    if extension is None:
        raise Http404("There is no connection to ask.")
    standing = member_standing.of(extension, member)
    found = member_now.read(standing)
    if request.headers.get("HX-Request"):
        return render(request, "integrations/why_compare.html", compare_of(standing, found))
    return render(request, "integrations/why.html", {**page_of(standing, found), "others": others})


@require_POST
@tenant_view(role=Role.MANAGER)
def resend(request: TenantRequest, member_id: int) -> HttpResponse:
    member = _member(request, member_id)
    extension, _ = _connection(request)
    if extension is None:
        raise Http404("There is no connection to send by.")
    try:
        run = resending.resend(extension, member, user=request.user)
    except DestinationError as error:
        messages.error(request, error.words)
    else:
        messages.success(request, f"{member} is on the way again, in run #{run.pk}.")
    address = reverse("why", args=[request.tenant.slug, member.pk])
    return redirect(f"{address}?connection={extension.pk}")


def page_of(standing: member_standing.Standing, found: member_now.Now | None = None) -> dict[str, Any]:
    """Everything of the page; `found` where the destination was asked just now."""
    lists = member_lists.lines(standing)
    events = member_timeline.events(standing)
    stuck = resending.open_events(standing.extension, standing.member.pk).count()
    return {
        **compare_of(standing, found),
        "headline": member_story.headline(standing),
        "notes": member_story.notes(standing, lists, stuck),
        "lists": lists,
        "events": events,
        "stuck_events": stuck if standing.extension.events_enabled else 0,
        "moments": member_timeline.moments(standing.member, events),
        "profile_url": addresses.profile(standing.extension, _remote_id(standing, found)),
    }


def compare_of(standing: member_standing.Standing, found: member_now.Now | None) -> dict[str, Any]:
    lines = member_compare.lines(standing, found.theirs if found else None)
    return {
        "standing": standing,
        "member": standing.member,
        "extension": standing.extension,
        "name": standing.name,
        "sent": standing.sent,
        "now": found,
        "lines": [line for line in lines if not line.is_empty],
        "empty_lines": [line for line in lines if line.is_empty],
    }


def _remote_id(standing: member_standing.Standing, found: member_now.Now | None) -> str:
    return (found.remote_id if found else "") or (standing.sent.remote_id if standing.sent else "")


def _member(request: TenantRequest, member_id: int) -> Member:
    found: Member = get_object_or_404(
        Member.objects.select_related("tier"), tenant=request.tenant, pk=member_id
    )
    return found


def _connection(request: TenantRequest) -> tuple[Extension | None, list[Extension]]:
    """The connection that the address names, else the one that is on; and all that there are to choose from."""
    mine = member_standing.connections_of(request.tenant.pk)
    asked = number((request.POST or request.GET).get("connection"))
    if asked is None:
        return (mine[0] if mine else None), mine
    chosen = [extension for extension in mine if extension.pk == asked]
    if not chosen:
        raise Http404("There is no such connection.")
    return chosen[0], mine
