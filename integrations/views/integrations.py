"""The tenant's connections: all of them, a new one, one with its state, and its settings."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from integrations.errors import DestinationError
from integrations.forms_connections import KeyForm, NewForm, SettingsForm
from integrations.gateway import registry
from integrations.models import Extension, SyncRun
from integrations.services import (
    connection_figures,
    connection_settings,
    connection_stories,
    new_connections,
    run_history,
    run_stories,
)
from portal.tenancy.guards import TenantRequest, tenant_view
from portal.tenancy.models import Role

CHANGES = ["GET", "HEAD", "POST"]
LAST_RUNS = 5


def get_extension(request: TenantRequest, extension_id: int) -> Extension:
    """One of the tenant's own, without its secrets; 404 for any other."""
    extension = connection_figures.listed(request.tenant).filter(pk=extension_id).first()
    if extension is None:
        raise Http404("There is nothing at this address.")
    extension.tenant = request.tenant
    return extension


def told(extension: Extension, **more: Any) -> dict[str, Any]:
    """What every page of one connection says of it."""
    name = run_history.destination_name(extension)
    has_secret = bool(getattr(extension, "has_secret", False))
    return {
        "extension": extension,
        "name": name,
        "story": connection_stories.tell(extension, name, has_secret=has_secret),
        "is_draft": new_connections.is_draft(extension),
        **more,
    }


@require_safe
@tenant_view()
def integrations(request: TenantRequest) -> HttpResponse:
    found = list(connection_figures.listed(request.tenant))
    figures = connection_figures.figures(found)
    cards = [told(extension, figures=figures[extension.pk]) for extension in found]
    kinds = [label for _, label in registry.choices()]
    return render(request, "integrations/integrations.html", {"cards": cards, "kinds": kinds})


@require_http_methods(CHANGES)
@tenant_view(role=Role.MANAGER)
def new(request: TenantRequest) -> HttpResponse:
    """Choose the type and a name; then straight on to connecting it."""
    form = NewForm(request.POST or None)
    kinds = registry.choices()
    if kinds:
        form.fields["name"].initial = new_connections.free_name(request.tenant, kinds[0][0])
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        try:
            made = new_connections.create(
                request.tenant, destination=asked["destination"], name=asked["name"]
            )
        except DestinationError as error:
            form.add_error("name", error.words)
        else:
            return redirect("integration_connect", request.tenant.slug, made.pk)
    active = Extension.objects.for_tenant(request.tenant).active().defer("secret", "refresh_token")
    context = {"form": form, "active": active.first(), "kinds": registry.destinations().values()}
    return render(request, "integrations/integration_new.html", context)


@require_safe
@tenant_view()
def integration(request: TenantRequest, extension_id: int) -> HttpResponse:
    return page(request, get_extension(request, extension_id))


def page(request: TenantRequest, extension: Extension, key_form: KeyForm | None = None) -> HttpResponse:
    """The page of one connection; a key that was refused keeps its words beside the field."""
    runs = run_history.runs().filter(extension=extension).order_by("-pk")[:LAST_RUNS]
    is_known = extension.destination in registry.destinations()
    name = run_history.destination_name(extension)
    context = told(
        extension,
        figures=connection_figures.figures([extension])[extension.pk],
        runs=[(run, run_stories.sentence(run, name)) for run in runs],
        missing=_missing(extension),
        policy=connection_stories.POLICIES.get(extension.merge_policy, ""),
        key_form=(key_form or KeyForm(extension=extension)) if is_known else None,
        other_active=other_active(extension),
    )
    return render(request, "integrations/integration.html", context)


def _missing(extension: Extension) -> list[tuple[str, str]]:
    """Each permission that is not there, with what it is for where that is known."""
    destination = registry.destinations().get(extension.destination)
    meant = dict(destination.sign_in.scopes) if destination and destination.sign_in else {}
    return [(scope, meant.get(scope, "")) for scope in extension.missing_scopes]


def other_active(extension: Extension) -> Extension | None:
    """The one that must be switched off before this one can be switched on."""
    same = (
        Extension.objects.for_tenant(extension.tenant_id).active().filter(destination=extension.destination)
    )
    return same.exclude(pk=extension.pk).defer("secret", "refresh_token").first()


@require_http_methods(CHANGES)
@tenant_view(role=Role.MANAGER)
def settings(request: TenantRequest, extension_id: int) -> HttpResponse:
    extension = get_extension(request, extension_id)
    form = SettingsForm(request.POST or None, instance=extension)
    if request.method == "POST" and form.is_valid():
        try:
            is_due = connection_settings.change(extension, form.cleaned_data)
        except DestinationError as error:
            form.add_error("name", error.words)
        else:
            more = " Everybody is looked at again, so that all profiles match." if is_due else ""
            messages.success(request, f"The settings of {extension.name} are saved.{more}")
            return redirect("integration", request.tenant.slug, extension.pk)
    return render(request, "integrations/integration_settings.html", told(extension, form=form))


@require_http_methods(CHANGES)
@tenant_view(role=Role.MANAGER)
def delete(request: TenantRequest, extension_id: int) -> HttpResponse:
    """Only a draft can go; what was connected once is disconnected instead."""
    extension = get_extension(request, extension_id)
    if request.method == "POST":
        name = extension.name
        try:
            new_connections.delete(extension)
        except DestinationError as error:
            messages.error(request, error.words)
            return redirect("integration", request.tenant.slug, extension.pk)
        messages.success(request, f"{name} is deleted. Nothing had been sent by it.")
        return redirect("integrations", request.tenant.slug)
    has_runs = SyncRun.objects.filter(extension=extension).exists()
    return render(request, "integrations/integration_delete.html", told(extension, has_runs=has_runs))
