"""To the destination's Allow page and back, in a pop-up or in the same window.

The way there is a page that goes on by itself (`Refresh`): a form that were answered with a redirect to
another origin would be stopped by the policy `form-action 'self'`. The pages that live in the pop-up send
no Cross-Origin-Opener-Policy, and the page that opens it allows pop-ups: else the browser would part the
two on the way through the other site, and the pop-up could not close itself.
"""

from http import HTTPStatus
from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from integrations.errors import DestinationError, RateLimited, Temporary
from integrations.gateway import registry
from integrations.models import Extension
from integrations.services import grants, run_history
from portal.tenancy.guards import TenantRequest, can
from portal.tenancy.models import Membership, Role, User

POP_UP = "sign_in_pop_up"  # in the session: the trip was begun in a window of its own
OPENER = "Cross-Origin-Opener-Policy"


def begin(request: TenantRequest, extension: Extension) -> HttpResponse:
    """Send the person to the Allow page."""
    request.session[POP_UP] = request.POST.get("window") == "pop-up"
    try:
        address = grants.begin(extension, request.user)
    except DestinationError as error:
        return _refused(request, extension, error.words, _status(error))
    context = {"address": address, "name": run_history.destination_name(extension)}
    answer = render(request, "integrations/signing_in.html", context)
    answer["Refresh"] = f"0; url={address}"
    return _in_pop_up(answer)


@require_safe
@never_cache
@login_required
def callback(request: HttpRequest, destination: str) -> HttpResponse:
    """Where the destination sends people back to. Neither code nor state is ever shown or kept."""
    if destination not in registry.destinations() or registry.get(destination).sign_in is None:
        raise Http404("There is nothing at this address.")
    user = cast(User, request.user)
    state, code = request.GET.get("state", ""), request.GET.get("code", "")
    extension = _attempted(user, state)
    try:
        if error := request.GET.get("error", ""):
            said = request.GET.get("error_description", "")
            refusal = grants.refused(user=user, state=state, error=error, description=said)
            return _refused(request, extension, refusal.words, HTTPStatus.BAD_REQUEST)
        connected = grants.finish(user=user, state=state, code=code)
    except DestinationError as problem:
        return _refused(request, extension, problem.words, _status(problem))
    return _connected(request, connected)


def _attempted(user: User, state: str) -> Extension | None:
    """The connection that this person set out to connect; 404 where they do not manage it (any more)."""
    extension = grants.on_the_way(user=user, state=state)
    if extension is None:
        return None
    mine = Membership.objects.filter(user=user, tenant=extension.tenant_id).first()
    if mine is None or not can(Role(mine.role), Role.MANAGER):
        raise Http404("There is nothing at this address.")
    return extension


def _connected(request: HttpRequest, extension: Extension) -> HttpResponse:
    is_pop_up = request.session.pop(POP_UP, False)
    if is_pop_up:
        answer = render(request, "integrations/signed_in.html", _page(extension, "", is_pop_up=True))
    else:
        answer = redirect("integration", extension.tenant.slug, extension.pk)
    # Only now, so that the page behind the pop-up shows it.
    if extension.missing_scopes:
        messages.warning(request, f"Connected to {extension.account_name}. {extension.health_reason}")
    else:
        messages.success(request, f"Connected: {extension.account_name} accepts us.")
    return _in_pop_up(answer)


def _refused(request: HttpRequest, extension: Extension | None, words: str, status: int) -> HttpResponse:
    is_pop_up = bool(request.session.get(POP_UP))
    context = _page(extension, words, is_pop_up=is_pop_up)
    return _in_pop_up(render(request, "integrations/signed_in.html", context, status=status))


def _page(extension: Extension | None, words: str, *, is_pop_up: bool) -> dict[str, object]:
    if extension is None:
        return {"words": words, "is_pop_up": is_pop_up, "then": reverse("home")}
    name = run_history.destination_name(extension)
    then = reverse("integration", args=[extension.tenant.slug, extension.pk])
    return {"extension": extension, "name": name, "words": words, "is_pop_up": is_pop_up, "then": then}


def _status(error: DestinationError) -> int:
    is_passing = isinstance(error, Temporary | RateLimited)
    return HTTPStatus.SERVICE_UNAVAILABLE if is_passing else HTTPStatus.BAD_REQUEST


def _in_pop_up(answer: HttpResponse) -> HttpResponse:
    answer[OPENER] = "unsafe-none"
    return answer


def keep_pop_up(answer: HttpResponse) -> HttpResponse:
    """For the page that opens the pop-up."""
    answer[OPENER] = "same-origin-allow-popups"
    return answer
