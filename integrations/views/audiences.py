"""Audiences of a tenant: all of them with the lists that they become, one of them, and deleting one."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from integrations.errors import DestinationError
from integrations.services import list_cards, list_links
from loyalty import audience_words
from loyalty.models import Audience, AudienceMember
from portal import wording
from portal.tenancy.guards import TenantRequest, tenant_view
from portal.tenancy.models import Role, Tenant

NEWEST = 8
WEEK = timedelta(days=7)


@require_safe
@tenant_view()
def audiences(request: TenantRequest) -> HttpResponse:
    tenant = request.tenant
    counts, cards, called = members_now(tenant), list_cards.of_tenant(tenant), audience_words.names(tenant)
    rows = [
        {
            "audience": one,
            "rule": rule_words(one, called),
            "members": counts.get(one.pk, 0),
            "cards": cards.get(one.pk, []),
        }
        for one in Audience.objects.filter(tenant=tenant).order_by("name", "pk")
    ]
    return render(request, "integrations/audiences.html", {"rows": rows})


@require_safe
@tenant_view()
def audience(request: TenantRequest, audience_id: int) -> HttpResponse:
    found = get_audience(request, audience_id)
    mappings = list_cards.mappings_of(request.tenant).filter(audience=found)
    cards = list_cards.cards(list(mappings))
    current = AudienceMember.objects.filter(audience=found, left_at=None)
    newest = current.select_related("member").order_by("-joined_at", "-pk")[:NEWEST]
    context = {
        "audience": found,
        "rule": rule_words(found, audience_words.names(request.tenant)),
        "cards": cards,
        "is_ending": any(card.mapping.ending_at for card in cards),
        "newest": newest,
        **_moves(found),
    }
    return render(request, "integrations/audience.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_view(role=Role.MANAGER)
def audience_delete(request: TenantRequest, audience_id: int) -> HttpResponse:
    """Says whom it concerns; while a list follows the audience it says to unlink that first."""
    found = get_audience(request, audience_id)
    if request.method == "POST":
        try:
            members = list_links.delete_audience(found)
        except DestinationError as error:
            messages.error(request, error.words)
            return redirect("audience_delete", request.tenant.slug, found.pk)
        whom = wording.counted(members, "member")
        messages.success(request, f"{found.name} is deleted. Nothing else changes for the {whom} in it.")
        return redirect("audiences", request.tenant.slug)
    mappings = list_cards.mappings_of(request.tenant).filter(audience=found)
    context = {"audience": found, "cards": list_cards.cards(list(mappings)), **_moves(found)}
    return render(request, "integrations/audience_delete.html", context)


def get_audience(request: TenantRequest, audience_id: int) -> Audience:
    return get_object_or_404(Audience, tenant=request.tenant, pk=audience_id)


def members_now(tenant: Tenant) -> dict[int, int]:
    """How many members each audience has, by its id; empty ones are absent."""
    rows = AudienceMember.objects.filter(audience__tenant=tenant, left_at=None).values("audience")
    return {row["audience"]: row["members"] for row in rows.annotate(members=Count("pk"))}


def rule_words(found: Audience, called: Any) -> str:
    return "Kept by hand" if found.is_static else audience_words.sentence(found.rule, called)


def _moves(found: Audience) -> dict[str, int]:
    """Members now, and who came and went in the last seven days."""
    since = timezone.now() - WEEK
    return AudienceMember.objects.filter(audience=found).aggregate(
        members=Count("pk", filter=Q(left_at=None)),
        joined=Count("pk", filter=Q(joined_at__gte=since)),
        left=Count("pk", filter=Q(left_at__gte=since)),
    )
