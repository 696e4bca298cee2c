"""A tenant's members: search, and one member with everything that happened to them."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from loyalty import members_csv
from loyalty.member_filters import MemberFilter
from loyalty.models import Member, MemberState
from loyalty.rules.event_kinds import kind_label
from portal import spreadsheet
from portal.tenancy.guards import TenantRequest, tenant_view

PAGE = 50
LATEST = 25


@require_safe
@tenant_view()
def members(request: TenantRequest) -> HttpResponse:
    wanted = MemberFilter.asked(request.GET)
    after, before = _key(request.GET.get("after")), _key(request.GET.get("before"))
    page, has_more = _page(wanted.members(request.tenant).select_related("tier"), after, before)
    context = {
        "members": page,
        "previous_key": page[0].pk if page and (after or (before and has_more)) else None,
        "next_key": page[-1].pk if page and (before or has_more) else None,
        "asked": wanted.text,
        "wanted": wanted,
        "chips": wanted.chips(request.tenant),
        "is_elsewhere": bool(after or before),
    }
    return render(request, "loyalty/members.html", context)


def _page(found: QuerySet[Member], after: int | None, before: int | None) -> tuple[list[Member], bool]:
    """The members after or before a key, by key, and whether there are more in that direction."""
    if before:
        page = list(found.filter(pk__lt=before).order_by("-pk")[: PAGE + 1])
        return page[:PAGE][::-1], len(page) > PAGE
    page = list(found.filter(pk__gt=after or 0).order_by("pk")[: PAGE + 1])
    return page[:PAGE], len(page) > PAGE


def _key(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


@require_safe
@tenant_view()
def members_file(request: TenantRequest) -> HttpResponseBase:
    """Everybody whom the filters let through, whichever page is looked at."""
    found = MemberFilter.asked(request.GET).members(request.tenant)
    return spreadsheet.response(members_csv.lines(found), "members.csv")


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
