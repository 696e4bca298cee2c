"""One's own profile."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from portal.tenancy import letters
from portal.tenancy.forms import EmailForm, NameForm
from portal.tenancy.guards import frame_of_last_tenant
from portal.tenancy.models import User
from portal.tenancy.two_factor import codes


@require_http_methods(["GET", "POST"])
@login_required
def profile(request: HttpRequest) -> HttpResponse:
    user = User.objects.get(
        pk=cast(User, request.user).pk
    )  # not the frame's own: a refused form must not rename it
    form = NameForm(request.POST or None, instance=user)
    if form.is_valid():
        user.save(update_fields=["first_name", "last_name"])
        messages.success(request, "Your name is saved.")
        return redirect("profile")
    frame_of_last_tenant(request)
    is_on = codes.is_on(user)
    context = {"form": form, "is_on": is_on, "codes_left": codes.recovery_codes_left(user) if is_on else 0}
    return render(request, "tenancy/profile.html", context)


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@login_required
def email(request: HttpRequest) -> HttpResponse:
    """Change the address that signs in; the old one is told."""
    form = EmailForm(request.POST or None, request=request)
    if form.is_valid():
        user = cast(User, request.user)
        old, user.email = user.email, form.cleaned_data["email"]
        user.save(update_fields=["email"])
        letters.tell_old_address(user, old)
        messages.success(request, f"From now on you log in with {user.email}. We told {old} about it.")
        return redirect("profile")
    frame_of_last_tenant(request)
    return render(request, "tenancy/profile_email.html", {"form": form})
