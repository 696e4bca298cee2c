"""Linking an audience to a list: the form, its drop-down of lists, and the sentence that says what it will do."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from integrations.errors import DestinationError
from integrations.forms_lists import LinkForm, options
from integrations.models import AudienceMapping, Extension
from integrations.services import list_choices, list_links, list_plans, run_history
from integrations.views.audiences import get_audience, members_now
from integrations.views.runs import number
from loyalty.models import Audience
from portal.tenancy.guards import TenantRequest, tenant_view
from portal.tenancy.models import Role


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_view(role=Role.MANAGER)
def list_link(request: TenantRequest, audience_id: int) -> HttpResponse:
    """Audience → list. The lists come by a request of their own, so that the page is there at once."""
    found, extensions = get_audience(request, audience_id), list_choices.connections_of(request.tenant)
    extension = _chosen(request, extensions)
    if extension is None:
        return render(request, "integrations/list_link.html", {"audience": found})
    read = list_choices.read if request.GET.get("read") else list_choices.known
    form = _link_form(request, extension, found, read(extension))
    if request.method == "POST" and form.is_valid():
        try:
            mapping = _link(extension, form.cleaned_data)
        except DestinationError as error:
            form.add_error(None, error.words)
        else:
            messages.success(request, _linked(mapping))
            return redirect("audience", request.tenant.slug, mapping.audience_id)
    context = {"audience": found, "extension": extension, "extensions": extensions, "form": form}
    context |= {"name": run_history.destination_name(extension), "options": form.options}
    return render(request, "integrations/list_link.html", context)


@tenant_view(role=Role.MANAGER)
@require_safe
def choices(request: TenantRequest) -> HttpResponse:
    """The drop-down of lists, read now; `fresh` reads them anew although they were read a moment ago."""
    extension = _chosen(request, list_choices.connections_of(request.tenant))
    if extension is None:
        raise Http404("There is no such connection.")
    found = list_choices.read(extension, fresh=bool(request.GET.get("fresh")))
    context = {"options": options(extension, found), "choices": found, "extension": extension}
    context |= {"chosen": request.GET.get("list_id", ""), "name": run_history.destination_name(extension)}
    return render(request, "integrations/list_choices.html", context)


@tenant_view(role=Role.MANAGER)
@require_safe
def sentence(request: TenantRequest) -> HttpResponse:
    """What the link will do, once both are chosen."""
    extension = _chosen(request, list_choices.connections_of(request.tenant))
    asked = number(request.GET.get("audience"))
    audience = Audience.objects.filter(tenant=request.tenant, pk=asked).first() if asked else None
    plan = list_plans.plan(extension, audience, request.GET) if extension and audience else None
    context = {"told": list_plans.told(plan) if plan else None}
    return render(request, "integrations/list_sentence.html", context)


def _chosen(request: TenantRequest, extensions: list[Extension]) -> Extension | None:
    """The connection that is asked for, or the first; None where there is none."""
    asked = request.POST.get("connection") or request.GET.get("connection")
    found = [one for one in extensions if not asked or str(one.pk) == asked]
    if asked and not found:
        raise Http404("There is no such connection.")
    return found[0] if found else None


def _link_form(
    request: TenantRequest, extension: Extension, audience: Audience, known: list_choices.Choices | None
) -> LinkForm:
    return LinkForm(
        request.POST if request.method == "POST" else None,
        extension=extension,
        audiences=Audience.objects.filter(tenant=request.tenant).order_by("name", "pk"),
        counts=members_now(request.tenant),
        choices=known,
        initial={"audience": audience.pk, "list_id": request.GET.get("list_id", "")},
    )


def _link(extension: Extension, given: dict[str, Any]) -> AudienceMapping:
    return list_links.link(
        extension,
        given["audience"],
        name=given["name"],
        list_id="" if given["to"] == LinkForm.NEW else given["list_id"],
        remove_leavers=given["remove_leavers"],
        is_paused=given["is_paused"],
    )


def _linked(mapping: AudienceMapping) -> str:
    done = f"{mapping.audience.name} is linked to “{mapping.list_name}”."
    if mapping.is_paused:
        return f"{done} It is paused: nobody joins until you resume it."
    if not mapping.extension.is_active:
        return f"{done} It is filled when {mapping.extension.name} is switched on."
    return (
        f"{done} It is filled with the next run, after midnight at the latest. Fill it now to start at once."
    )
