"""Connecting, checking, switching and disconnecting one connection.

Connecting does not begin to send: a connection that was never switched on is saved as connected, with the
standard mappings, and offers *Start sending* with the numbers. So nothing leaves by surprise: not to an
account that turns out to be the wrong one, and not before lists and properties were looked at.
"""

from typing import Any, Literal

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from integrations.errors import DestinationError
from integrations.forms_connections import ConnectForm, KeyForm, SwitchForm
from integrations.gateway import registry
from integrations.gateway.port import SignIn
from integrations.gateway.values import ConnectionReport
from integrations.models import AuthMethod, Extension, RunKind
from integrations.services import connecting, connection_figures, connections, grants
from integrations.views import signing_in
from integrations.views.integrations import CHANGES, get_extension, other_active, page, told
from loyalty.models import Member
from portal.tenancy.guards import TenantRequest, tenant_view
from portal.tenancy.models import Role


@sensitive_post_parameters("key")
@require_http_methods(CHANGES)
@tenant_view(role=Role.MANAGER)
def connect(request: TenantRequest, extension_id: int) -> HttpResponse:
    """The choice between signing in and a private key; POST does what was chosen."""
    extension = get_extension(request, extension_id)
    if extension.destination not in registry.destinations():
        return page(request, extension)
    sign_in = registry.get(extension.destination).sign_in
    is_offered = bool(sign_in and sign_in.is_offered())
    form = ConnectForm(request.POST or None, extension=extension, is_offered=is_offered)
    if request.method == "POST" and form.is_valid():
        _move(request, extension, form)
        if form.cleaned_data["way"] == AuthMethod.OAUTH:
            return signing_in.begin(request, extension)
        if _take_key(request, extension, form):
            return redirect("integration", request.tenant.slug, extension.pk)
    answer = render(request, "integrations/integration_connect.html", _choices(extension, form, sign_in))
    return signing_in.keep_pop_up(answer)


def _choices(extension: Extension, form: ConnectForm, sign_in: SignIn | None) -> dict[str, Any]:
    was_key = bool(extension.account_id) and extension.auth_method == AuthMethod.PRIVATE_KEY
    return told(
        extension,
        form=form,
        sign_in=sign_in,
        callback=grants.redirect_uri(extension) if sign_in else "",
        was_key=was_key,
        metrics=connection_figures.metrics(extension) if was_key else [],
    )


def _move(request: TenantRequest, extension: Extension, form: ConnectForm) -> None:
    asked = form.cleaned_data
    if connecting.move(extension, base_url=asked["base_url"], revision=asked["revision"]):
        words = "The API address is another one, so what was stored to sign in was forgotten."
        messages.warning(request, words)


def _take_key(request: TenantRequest, extension: Extension, form: ConnectForm | KeyForm) -> bool:
    """Whether the destination accepts us with the key; if not, its words stand beside the field."""
    try:
        report = connecting.by_key(extension, form.cleaned_data["key"])
    except DestinationError as error:
        form.add_error("key", f"{error.words} The key was not stored.")
        return False
    tell_connected(request, extension, report)
    return True


def tell_connected(request: TenantRequest, extension: Extension, report: ConnectionReport) -> None:
    if report.missing_scopes:
        messages.warning(request, f"Connected to {report.account_name}. {extension.health_reason}")
        return
    messages.success(request, f"Connected: {report.account_name} accepts us.")


@sensitive_post_parameters("key")
@require_POST
@tenant_view(role=Role.MANAGER)
def key(request: TenantRequest, extension_id: int) -> HttpResponse:
    """Another private key in place of the present one."""
    extension = get_extension(request, extension_id)
    if extension.destination not in registry.destinations():
        return page(request, extension)
    form = KeyForm(request.POST, extension=extension)
    if form.is_valid() and _take_key(request, extension, form):
        return redirect("integration", request.tenant.slug, extension.pk)
    return page(request, get_extension(request, extension_id), form)


@require_POST
@tenant_view(role=Role.MANAGER)
def check(request: TenantRequest, extension_id: int) -> HttpResponse:
    """Ask the destination now whether it accepts us."""
    extension = get_extension(request, extension_id)
    try:
        report = connections.check(extension)
    except DestinationError as error:
        messages.error(request, error.words)
    else:
        messages.success(request, f"Checked just now: {report.account_name} accepts us.")
    return redirect("integration", request.tenant.slug, extension.pk)


@require_http_methods(CHANGES)
@tenant_view(role=Role.MANAGER)
def active(request: TenantRequest, extension_id: int) -> HttpResponse:
    """Switch on or off, after saying in numbers what that means."""
    extension = get_extension(request, extension_id)
    form = SwitchForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        _switch(request, extension, form)
        return redirect("integration", request.tenant.slug, extension.pk)
    context = told(
        extension,
        figures=connection_figures.figures([extension])[extension.pk],
        members=Member.objects.filter(tenant=request.tenant).count(),
        waiting=connections.waiting_events(extension),
        choices=SwitchForm.WAITING,
        other_active=None if extension.is_active else other_active(extension),
    )
    return render(request, "integrations/integration_active.html", context)


def _switch(request: TenantRequest, extension: Extension, form: SwitchForm) -> None:
    is_first, wanted = extension.active_since is None, form.cleaned_data["active"]
    waiting: Literal["history", "discard"] = (
        "discard" if form.cleaned_data["waiting"] == "discard" else "history"
    )
    try:
        connections.set_active(extension, wanted, waiting=waiting)
    except DestinationError as error:
        messages.error(request, error.words)
        return
    if wanted and is_first:
        messages.success(request, f"{extension.name} is sending. The first run begins within seconds.")
    else:
        messages.success(request, f"{extension.name} is switched {'on' if wanted else 'off'}.")


@require_http_methods(CHANGES)
@tenant_view(role=Role.MANAGER)
def disconnect(request: TenantRequest, extension_id: int) -> HttpResponse:
    """Give our access back, after saying what stops and what stays."""
    extension = get_extension(request, extension_id)
    if request.method == "POST":
        trouble = grants.disconnect(extension)
        messages.success(request, f"{extension.name} is disconnected. Its mappings and history are kept.")
        if trouble:
            messages.warning(request, trouble)
        return redirect("integration", request.tenant.slug, extension.pk)
    context = told(
        extension,
        figures=connection_figures.figures([extension])[extension.pk],
        waiting=connections.waiting_events(extension),
        runs=extension.runs.open().exclude(kind=RunKind.LIVE).count(),
    )
    return render(request, "integrations/integration_disconnect.html", context)
