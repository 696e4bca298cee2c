"""Events of the programme: what each tells, its metric, its switch, and a sample to a test address."""

import json
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from integrations.errors import DestinationError
from integrations.forms_events import MetricForm, SampleForm
from integrations.gateway import registry
from integrations.models import Extension
from integrations.services import data_dictionary, event_mappings, run_history, sample_events
from loyalty.rules.event_kinds import KINDS
from portal import wording
from portal.tenancy.guards import TenantRequest, tenant_view
from portal.tenancy.models import Role

NO_CONNECTION = "There is no connection yet. Make one first, then come back to the events."


@require_safe
@tenant_view()
def events(request: TenantRequest) -> HttpResponse:
    frame = connection_frame(request)
    extension = frame["extension"]
    told = event_mappings.told(extension) if extension else []
    context = {**frame, "told": told, "kinds": KINDS.values(), "days": event_mappings.DAYS}
    return render(request, "integrations/events.html", context)


@require_safe
@tenant_view()
def event(request: TenantRequest, kind: str) -> HttpResponse:
    frame = connection_frame(request)
    extension = frame["extension"]
    context = {**frame, "kind": get_kind(kind), "days": event_mappings.DAYS}
    if extension:
        destination = registry.get(extension.destination)
        body = sample_events.body(extension, kind)
        context |= {
            "told": event_mappings.told(extension, only=kind)[0],
            "entries": data_dictionary.event_entries(KINDS[kind], destination),
            "body": json.dumps(body, indent=2, ensure_ascii=False),
            "tag_help": destination.tag_help,
        }
    return render(request, "integrations/event.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_view(role=Role.MANAGER)
def event_edit(request: TenantRequest, kind: str) -> HttpResponse:
    """Another name for the metric, after saying what stays under the old one."""
    frame, known = connection_frame(request), get_kind(kind)
    extension = frame["extension"]
    if extension is None:
        return _connect_first(request)
    told = event_mappings.told(extension, only=kind)[0]
    form = MetricForm(request.POST or None, extension=extension, kind=kind, initial={"metric": told.metric})
    asks = ""
    if request.method == "POST" and form.is_valid():
        metric = form.cleaned_data["metric"]
        if metric == told.metric:
            return _back(request, extension, kind)
        if request.POST.get("confirmed") == metric:
            event_mappings.rename(extension, kind, metric)
            messages.success(request, f"“{known.label}” is sent as “{metric}” from now on.")
            return _back(request, extension, kind)
        asks = metric
    context = {**frame, "kind": known, "told": told, "form": form, "asks": asks, "days": event_mappings.DAYS}
    return render(request, "integrations/event_edit.html", context)


@require_POST
@tenant_view(role=Role.MANAGER)
def event_switch(request: TenantRequest, kind: str) -> HttpResponse:
    """On or off; off asks first what becomes of those that wait, where any do."""
    frame, known = connection_frame(request), get_kind(kind)
    extension = frame["extension"]
    if extension is None:
        return _connect_first(request)
    is_enabled, waiting = request.POST.get("on") == "1", request.POST.get("waiting", "")
    told = event_mappings.told(extension, only=kind, counts_sent=False)[0]
    if told.waiting and not is_enabled and waiting not in ("send", "discard"):
        return render(request, "integrations/event_switch.html", {**frame, "kind": known, "told": told})
    gone = event_mappings.switch(extension, kind, is_enabled=is_enabled, discards=waiting == "discard")
    words = f"“{known.label}” is sent from now on." if is_enabled else f"“{known.label}” is no longer sent."
    discarded = f" {wording.counted(gone, 'event')} that waited {'was' if gone == 1 else 'were'} discarded."
    messages.success(request, words + (discarded if gone else ""))
    if request.POST.get("page") == "event":
        return _back(request, extension, kind)
    return redirect(_at(reverse("events", args=[request.tenant.slug]), request, extension))


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_view(role=Role.MANAGER)
def event_sample(request: TenantRequest, kind: str) -> HttpResponse:
    """One event that never happened, to an address of the person's choice."""
    frame, known = connection_frame(request), get_kind(kind)
    extension = frame["extension"]
    if extension is None:
        return _connect_first(request)
    form = SampleForm(request.POST or None, extension=extension, user=request.user)
    if request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"]
        try:
            metric = sample_events.send(extension, kind, email=email, user=request.user)
        except DestinationError as error:
            form.add_error(None, error.words)
        else:
            messages.success(request, _sent(metric, email, frame["name"]))
            return _back(request, extension, kind)
    told = event_mappings.told(extension, only=kind, counts_sent=False)[0]
    return render(
        request, "integrations/event_sample.html", {**frame, "kind": known, "told": told, "form": form}
    )


def _sent(metric: str, email: str, name: str) -> str:
    return (
        f"{name} took a sample of “{metric}” for {email}. It shows on that profile within a few minutes, and "
        "starts the live flows of this metric."
    )


# One connection among several --------------------------------------------------------------------------


def connection_frame(request: TenantRequest) -> dict[str, Any]:
    """Which connection a page is about: the one asked for, or the first that is switched on; and its words.

    `suffix` keeps the choice in links where there are several. Another tenant's connection is a 404.
    """
    found = event_mappings.connections_of(request.tenant)
    asked = request.POST.get("connection") or request.GET.get("connection")
    chosen = [extension for extension in found if not asked or str(extension.pk) == asked]
    if asked and not chosen:
        raise Http404("There is no such connection.")
    extension = chosen[0] if chosen else None
    return {
        "extension": extension,
        "name": run_history.destination_name(extension) if extension else "",
        "extensions": found,
        "suffix": f"?connection={extension.pk}" if extension and len(found) > 1 else "",
    }


def get_kind(kind: str) -> Any:
    if kind not in KINDS:
        raise Http404("There is no such event.")
    return KINDS[kind]


def _at(address: str, request: HttpRequest, extension: Extension) -> str:
    """The address with the connection, where the person had chosen one."""
    chose = request.POST.get("connection") or request.GET.get("connection")
    return f"{address}?connection={extension.pk}" if chose else address


def _back(request: TenantRequest, extension: Extension, kind: str) -> HttpResponseRedirect:
    return redirect(_at(reverse("event", args=[request.tenant.slug, kind]), request, extension))


def _connect_first(request: TenantRequest) -> HttpResponseRedirect:
    messages.warning(request, NO_CONNECTION)
    return redirect("events", request.tenant.slug)
