"""A tenant's connection: its state, what is mapped, and its switch."""

from collections.abc import Mapping
from typing import Any, Literal

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from integrations.errors import DestinationError
from integrations.forms import KeyForm, SwitchForm
from integrations.gateway import registry
from integrations.models import Extension
from integrations.services import connections, run_history
from loyalty import fields
from loyalty.rules.event_kinds import KINDS
from portal.tenancy.guards import TenantRequest, tenant_view
from portal.tenancy.models import Role


@require_safe
@tenant_view()
def connection(request: TenantRequest) -> HttpResponse:
    return _page(request)


def _page(request: TenantRequest, refused: KeyForm | None = None, refused_id: int = 0) -> HttpResponse:
    """The whole page; a key that was refused keeps its words beside the field."""
    found = Extension.objects.for_tenant(request.tenant).defer("secret")
    found = found.prefetch_related("field_mappings", "event_mappings", "audience_mappings__audience")
    context = {
        "extensions": [
            {
                "extension": extension,
                "name": run_history.destination_name(extension),
                "events": [
                    (KINDS[row.kind].label if row.kind in KINDS else row.kind, row)
                    for row in extension.event_mappings.all()
                ],
                "fields": [(field_label(row.field), row) for row in extension.field_mappings.all()],
                "key_form": refused if refused and extension.pk == refused_id else _key_form(extension),
            }
            for extension in found
        ]
    }
    return render(request, "integrations/connection.html", context)


def _key_form(extension: Extension, given: Mapping[str, Any] | None = None) -> KeyForm | None:
    """None where the destination is not installed any more: nobody would know its keys."""
    if extension.destination not in registry.destinations():
        return None
    return KeyForm(given, extension=extension)


@require_POST
@tenant_view(role=Role.MANAGER)
def connection_key(request: TenantRequest, extension_id: int) -> HttpResponse:
    """Keep a new private key, and ask the destination at once whether it accepts us with it."""
    extension = get_object_or_404(Extension, tenant=request.tenant, pk=extension_id)
    form = _key_form(extension, request.POST)
    if form is None or not form.is_valid():
        return _page(request, form, extension.pk)
    connections.store_key(extension, form.cleaned_data["key"])
    try:
        report = connections.check(extension)
    except DestinationError as error:
        messages.error(request, f"The key is stored, and does not work yet. {error.words}")
    else:
        if report.missing_scopes:
            messages.warning(request, f"The key is stored. {extension.health_reason}")
        else:
            messages.success(request, f"The new key is stored; {report.account_name} accepts us with it.")
    return redirect("connection", request.tenant.slug)


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_view(role=Role.MANAGER)
def connection_active(request: TenantRequest, extension_id: int) -> HttpResponse:
    """Switch on or off, after saying what that means."""
    extension = get_object_or_404(Extension, tenant=request.tenant, pk=extension_id)
    form = SwitchForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data["active"]
        waiting: Literal["history", "discard"] = (
            "discard" if form.cleaned_data["waiting"] == "discard" else "history"
        )
        try:
            connections.set_active(extension, wanted, waiting=waiting)
        except DestinationError as error:
            messages.error(request, error.words)
        else:
            messages.success(request, f"{extension.name} is switched {'on' if wanted else 'off'}.")
        return redirect("connection", request.tenant.slug)
    context = {
        "extension": extension,
        "name": run_history.destination_name(extension),
        "waiting": connections.waiting_events(extension),
        "choices": SwitchForm.WAITING,
    }
    return render(request, "integrations/connection_active.html", context)


@require_POST
@tenant_view(role=Role.MANAGER)
def connection_check(request: TenantRequest, extension_id: int) -> HttpResponse:
    """Ask the destination now whether it accepts us."""
    extension = get_object_or_404(Extension, tenant=request.tenant, pk=extension_id)
    try:
        report = connections.check(extension)
    except DestinationError as error:
        messages.error(request, error.words)
    else:
        messages.success(request, f"The connection to {report.account_name} was checked just now.")
    return redirect("connection", request.tenant.slug)


def field_label(key: str) -> str:
    """The field's name for people; a field that is not in the catalogue any more keeps its key."""
    try:
        return fields.get(key).label
    except fields.UnknownField:
        return key
