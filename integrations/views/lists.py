"""Lists that audiences became: change, pause, unlink, fill, count."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from integrations.errors import DestinationError
from integrations.forms_lists import LeaversForm, UnlinkForm
from integrations.models import AudienceMapping
from integrations.services import list_cards, list_links, list_numbers
from portal import wording
from portal.tenancy.guards import TenantRequest, tenant_view
from portal.tenancy.models import Role


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_view(role=Role.MANAGER)
def list_edit(request: TenantRequest, list_mapping_id: int) -> HttpResponse:
    mapping = _mapping(request, list_mapping_id)
    initial = {"remove_leavers": mapping.remove_leavers}
    form = LeaversForm(request.POST or None, initial=initial)
    if request.method == "POST" and "again" in request.POST:
        return _try_again(request, mapping)
    if request.method == "POST":
        list_links.change(mapping, remove_leavers=request.POST.get("remove_leavers") == "on")
        what = "is taken off the list" if mapping.remove_leavers else "stays on the list"
        messages.success(
            request, f"Who leaves {mapping.audience.name} {what} from now on. The next run applies it."
        )
        return redirect("audience", request.tenant.slug, mapping.audience_id)
    (card,) = list_cards.cards([mapping])
    return render(request, "integrations/list_edit.html", {"card": card, "form": form})


def _try_again(request: TenantRequest, mapping: AudienceMapping) -> HttpResponse:
    try:
        list_links.try_again(mapping)
    except DestinationError as error:
        messages.error(request, error.words)
        return redirect("list_edit", request.tenant.slug, mapping.pk)
    messages.success(request, f"“{mapping.list_name}” is tried again with the next run.")
    return redirect("audience", request.tenant.slug, mapping.audience_id)


@require_POST
@tenant_view(role=Role.MANAGER)
def list_pause(request: TenantRequest, list_mapping_id: int) -> HttpResponse:
    mapping = _mapping(request, list_mapping_id)
    list_links.pause(mapping, is_paused=request.POST.get("paused") == "1")
    waits = _waits(mapping)
    if mapping.is_paused:
        messages.success(request, f"“{mapping.list_name}” is paused. Nothing is lost: {waits}.")
    else:
        messages.success(
            request,
            f"“{mapping.list_name}” goes on with the next run: {waits}. Fill it now to send them at once.",
        )
    return redirect("audience", request.tenant.slug, mapping.audience_id)


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_view(role=Role.MANAGER)
def list_unlink(request: TenantRequest, list_mapping_id: int) -> HttpResponse:
    """Asks what becomes of those whom we added; while they are being taken off, whether to stop that."""
    mapping = _mapping(request, list_mapping_id)
    form = UnlinkForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            messages.success(request, _unlink(request, mapping, form.cleaned_data["how"]))
        except DestinationError as error:
            messages.error(request, error.words)
        return redirect("audience", request.tenant.slug, mapping.audience_id)
    (card,) = list_cards.cards([mapping])
    return render(request, "integrations/list_unlink.html", {"card": card, "form": form})


@require_POST
@tenant_view(role=Role.MANAGER)
def list_fill(request: TenantRequest, list_mapping_id: int) -> HttpResponse:
    """Start the run that brings the lists in line, now."""
    mapping = _mapping(request, list_mapping_id)
    try:
        run = list_links.start(mapping, user=request.user)
    except DestinationError as error:
        messages.error(request, error.words)
        return redirect("audience", request.tenant.slug, mapping.audience_id)
    messages.success(
        request, f"Run #{run.pk} is on its way. It brings all lists in line with their audiences."
    )
    return redirect("run", request.tenant.slug, run.pk)


@require_POST
@tenant_view(role=Role.MANAGER)
def list_count(request: TenantRequest, list_mapping_id: int) -> HttpResponse:
    """Count now at the destination; a page with scripts gets the numbers only."""
    mapping, problem = _mapping(request, list_mapping_id), ""
    try:
        list_numbers.count(mapping)
    except DestinationError as error:
        problem = error.words
    if request.headers.get("HX-Request"):
        (card,) = list_cards.cards([mapping])
        return render(request, "integrations/list_numbers.html", {"card": card, "problem": problem})
    if problem:
        messages.error(request, problem)
    return redirect("audience", request.tenant.slug, mapping.audience_id)


def _mapping(request: TenantRequest, list_mapping_id: int) -> AudienceMapping:
    """With its connection whole, as calls may need the key; another tenant's is a 404."""
    found: AudienceMapping = get_object_or_404(
        AudienceMapping.objects.select_related("extension", "audience"),
        extension__tenant=request.tenant,
        pk=list_mapping_id,
    )
    return found


def _waits(mapping: AudienceMapping) -> str:
    joining, leaving = list_links.waiting(mapping)
    if not joining and not leaving:
        return "nobody waits to join or to leave the list"
    parts = [f"{wording.counted(joining, 'person', 'people')} to join it"] if joining else []
    parts += [f"{wording.counted(leaving, 'person', 'people')} to leave it"] if leaving else []
    return f"{wording.listed(parts)} wait{'s' if joining + leaving == 1 else ''}"


def _unlink(request: TenantRequest, mapping: AudienceMapping, how: str) -> str:
    """Do it, and say what was done and what goes on."""
    name, audience = mapping.list_name, mapping.audience.name
    if how == "leave":
        list_links.leave_everybody(mapping)
        return f"“{name}” is unlinked from {audience}. Everybody who is on the list stays there."
    if how == "keep":
        list_links.keep(mapping, user=request.user)
        return f"“{name}” stays linked to {audience}. Who was taken off already is put back by a run."
    total = list_links.added(mapping)
    run = list_links.remove_added(mapping, user=request.user)
    if run is None and not total:
        return f"“{name}” is unlinked from {audience}. We had added nobody to it."
    people = wording.counted(total, "person", "people")
    if run is None:
        return f"“{name}” is being unlinked: {people} leave it when {mapping.extension.name} is switched on."
    return f"“{name}” is being unlinked: run #{run.pk} takes off the {people} whom we added."
