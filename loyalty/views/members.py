"""A tenant's members: search, and one member with everything that happened to them."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from loyalty.models import Member, MemberState
from loyalty.rules.event_kinds import kind_label
from loyalty.services import members as members_service
from portal.tenancy.guards import TenantRequest, tenant_view

PAGE = 50
LATEST = 25


@require_safe
@tenant_view()
def members(request: TenantRequest) -> HttpResponse:
    asked = request.GET.get("q", "").strip()
    after = request.GET.get("after", "")
    found: QuerySet[Member] = Member.objects.for_tenant(request.tenant).select_related("tier")
    if asked:
        found = found.filter(pk__in=members_service.find([request.tenant.pk], asked))
    if after.isascii() and after.isdigit() and len(after) < 19:
        found = found.filter(pk__gt=int(after))
    page = list(found.order_by("pk")[: PAGE + 1])
    context = {
        "members": page[:PAGE],
        "next_key": page[PAGE - 1].pk if len(page) > PAGE else None,
        "asked": asked,
        "after": after,
    }
    return render(request, "loyalty/members.html", context)


@require_safe
@tenant_view()
def member(request: TenantRequest, member_id: int) -> HttpResponse:
    found = get_object_or_404(Member.objects.select_related("tier"), tenant=request.tenant, pk=member_id)
    entries = list(found.points_entries.order_by("-occurred_at", "-pk")[: LATEST + 1])
    moves = found.tier_changes.select_related("before", "after")
    events = found.events.order_by("-occurred_at", "-pk")
    context = {
        "member": found,
        "profile": profile_of(found),
        "entries": entries[:LATEST],
        "has_more_entries": len(entries) > LATEST,
        "tier_changes": moves.order_by("-changed_at", "-pk")[:LATEST],
        "audiences": found.audience_memberships.filter(left_at=None).select_related("audience"),
        "events": [(kind_label(event.kind), event) for event in events[:LATEST]],
        "consents": found.consents.order_by("-given_at", "-pk")[:LATEST],
    }
    return render(request, "loyalty/member.html", context)


def profile_of(found: Member) -> list[tuple[str, Any]]:
    """What is known of a person, without what is empty."""
    place = ", ".join(
        part for part in (found.address1, found.zip, found.city, found.region, found.country) if part
    )
    rows = [
        ("E-mail", f"{found.email} (malformed)" if found.email_malformed else found.email),
        ("Phone", f"{found.phone} (malformed)" if found.phone_malformed else found.phone),
        ("Your id", found.external_id),
        ("State", MemberState(found.state).label),
        ("Address", place),
        ("Birthday", _birthday(found)),
        ("Language", found.locale),
        ("Referral code", found.referral_code),
        ("Tags", ", ".join(found.tags)),
        *(sorted((str(key), value) for key, value in found.attributes.items())),
    ]
    return [(label, value) for label, value in rows if value not in ("", None)]


def _birthday(found: Member) -> str:
    if not found.birth_month:
        return ""
    parts = (found.birth_year, found.birth_month, found.birth_day)
    return "-".join(f"{part:02d}" for part in parts if part)
