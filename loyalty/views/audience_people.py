"""Who is in an audience, page by page; and for static ones, people put in and taken out by hand."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from loyalty.forms import PasteForm
from loyalty.models import Audience, AudienceMember, Member
from loyalty.services import audience_people as people_service
from loyalty.services import members as members_service
from loyalty.services.audience_people import PeopleResult
from portal import wording
from portal.tenancy.guards import TenantRequest, can, tenant_view
from portal.tenancy.models import Role

PAGE = 50
OFFERED = 10


@require_safe
@tenant_view()
def people(request: TenantRequest, audience_id: int) -> HttpResponse:
    audience = get_object_or_404(Audience, tenant=request.tenant, pk=audience_id)
    return render(request, "loyalty/audience_people.html", _context(request, audience, PasteForm()))


@require_POST
@tenant_view(role=Role.MANAGER)
def change(request: TenantRequest, audience_id: int) -> HttpResponse:
    """Add or remove: those who were chosen in the list, or those who were pasted."""
    audience = get_object_or_404(Audience, tenant=request.tenant, pk=audience_id, is_static=True)
    verb = "remove" if request.POST.get("do") == "remove" else "add"
    if "people" in request.POST:
        form = PasteForm(request.POST)
        if not form.is_valid():
            return render(request, "loyalty/audience_people.html", _context(request, audience, form))
        written = form.cleaned_data["people"]
    else:
        written = _chosen(request)
    result = (people_service.remove if verb == "remove" else people_service.add)(audience, written)
    if not result.is_whole:
        # The whole of it, so that nothing that was pasted is lost; a reload only repeats what is done.
        context = {"audience": audience, "verb": verb, "result": result, "told": told(verb, result)}
        return render(request, "loyalty/audience_people_changed.html", context)
    messages.success(request, told(verb, result))
    return redirect("audience_people", request.tenant.slug, audience.pk)


def told(verb: str, result: PeopleResult) -> str:
    """What was done, in numbers."""
    done = result.done
    if verb == "remove":
        return f"{wording.counted(done.removed, 'person', 'people')} removed."
    already = (
        f" {done.already:,} {'was' if done.already == 1 else 'were'} in already." if done.already else ""
    )
    return f"{wording.counted(done.added, 'person', 'people')} added.{already}"


def _chosen(request: TenantRequest) -> list[str]:
    """External ids of the members whose boxes were checked."""
    keys = [int(key) for key in request.POST.getlist("member") if _is_key(key)]
    chosen = Member.objects.for_tenant(request.tenant).filter(pk__in=keys[:PAGE])
    return list(chosen.values_list("external_id", flat=True))


def _context(request: TenantRequest, audience: Audience, form: PasteForm) -> dict[str, Any]:
    asked, after = request.GET.get("q", "").strip(), request.GET.get("after", "")
    stays = _stays(audience, asked)
    if _is_key(after):
        stays = stays.filter(member__gt=int(after))
    page = list(stays[: PAGE + 1])
    may_change = audience.is_static and can(request.role, Role.MANAGER)
    wanted = request.GET.get("find", "").strip() if may_change else ""
    return {
        "audience": audience,
        "count": audience.memberships.filter(left_at=None).count(),
        "stays": page[:PAGE],
        "next_key": page[PAGE - 1].member_id if len(page) > PAGE else None,
        "asked": asked,
        "after": after,
        "may_change": may_change,
        "wanted": wanted,
        "offered": _offered(request, audience, wanted) if wanted else [],
        "form": form,
    }


def _stays(audience: Audience, asked: str) -> QuerySet[AudienceMember]:
    stays = AudienceMember.objects.filter(audience=audience, left_at=None).select_related("member")
    if asked:
        stays = stays.filter(member__in=members_service.find([audience.tenant_id], asked))
    return stays.order_by("member_id")


def _offered(request: TenantRequest, audience: Audience, wanted: str) -> list[tuple[Member, bool]]:
    """Members who are found by what was typed, and whether they are in already."""
    every = Member.objects.for_tenant(request.tenant)
    found = list(
        every.filter(pk__in=members_service.find([request.tenant.pk], wanted)).order_by("pk")[:OFFERED]
    )
    stays = AudienceMember.objects.filter(audience=audience, left_at=None, member__in=found)
    present = set(stays.values_list("member_id", flat=True))
    return [(member, member.pk in present) for member in found]


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
