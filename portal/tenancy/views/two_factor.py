"""Two-factor sign-in in one's own profile: set up, recovery codes, off."""

from typing import cast

import segno
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from portal.tenancy.forms import FirstCodeForm, PasswordAgainForm
from portal.tenancy.guards import frame_of_last_tenant
from portal.tenancy.models import User
from portal.tenancy.two_factor import codes


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@login_required
def start(request: HttpRequest) -> HttpResponse:
    """What it is and what is needed; the password begins the set-up."""
    user = cast(User, request.user)
    if codes.is_on(user):
        return redirect("profile")
    form = PasswordAgainForm(request.POST or None, request=request)
    if form.is_valid():
        codes.begin(user)
        return redirect("two_factor_set_up")
    frame_of_last_tenant(request)
    context = {"form": form, "is_owed": codes.is_owed(user)}
    return render(request, "tenancy/two_factor_start.html", context)


@sensitive_post_parameters("code")
@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def set_up(request: HttpRequest) -> HttpResponse:
    """The QR code; the first code of the app switches on, and the answer shows the recovery codes."""
    user = cast(User, request.user)
    device = codes.pending(user)
    if device is None:
        return redirect("two_factor")
    form = FirstCodeForm(request.POST or None)
    if form.is_valid():
        verdict, texts = codes.confirm(user, form.cleaned_data["code"])
        if verdict.is_right:
            return _codes_once(request, texts, is_new=True)
        form.add_error("code", verdict.words)
    frame_of_last_tenant(request)
    picture = segno.make(device.address(), error="m").svg_data_uri(scale=5, border=4, light="#fff")
    context = {"form": form, "picture": picture, "key": _in_fours(device.key_text())}
    return render(request, "tenancy/two_factor_set_up.html", context)


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """New codes in place of the old ones, after the password."""
    user = cast(User, request.user)
    if not codes.is_on(user):
        return redirect("two_factor")
    form = PasswordAgainForm(request.POST or None, request=request)
    if form.is_valid():
        return _codes_once(request, codes.new_recovery_codes(user), is_new=False)
    frame_of_last_tenant(request)
    return render(request, "tenancy/two_factor_codes.html", {"form": form})


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@login_required
def off(request: HttpRequest) -> HttpResponse:
    user = cast(User, request.user)
    if not codes.is_on(user):
        return redirect("profile")
    form = PasswordAgainForm(request.POST or None, request=request)
    if form.is_valid():
        codes.switch_off(user)
        messages.success(request, "Two-factor sign-in is off: your password alone logs you in.")
        return redirect("profile")
    frame_of_last_tenant(request)
    return render(request, "tenancy/two_factor_off.html", {"form": form})


def _codes_once(request: HttpRequest, texts: list[str], *, is_new: bool) -> HttpResponse:
    """The one page that shows the recovery codes."""
    frame_of_last_tenant(request)
    context = {"codes": texts, "as_text": "\r\n".join(texts), "is_new": is_new}
    return render(request, "tenancy/two_factor_once.html", context)


def _in_fours(text: str) -> str:
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))
