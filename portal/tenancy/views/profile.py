"""One's own profile."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from portal.tenancy import letters, new_address, pace
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
    """Ask for another address to sign in with: a link goes there, and nothing changes before it is opened."""
    form = EmailForm(request.POST or None, request=request)
    if form.is_valid():
        _ask(request, form.cleaned_data["email"])
        return redirect("profile")
    frame_of_last_tenant(request)
    return render(request, "tenancy/profile_email.html", {"form": form})


def _ask(request: HttpRequest, new: str) -> None:
    user = cast(User, request.user)
    if not pace.may(f"new-address-{user.pk}", seconds=30):
        messages.warning(request, "A link was sent a moment ago. Wait half a minute, then ask again.")
    elif not letters.ask_new_address(user, new, new_address.link(user, new)):
        messages.error(request, f"The e-mail to {new} could not be sent. Your address is unchanged.")
    elif letters.are_printed():
        messages.success(request, "This portal prints its e-mail: open the link that stands in web.log.")
    else:
        messages.success(
            request, f"We wrote to {new}. Open the link there; until then you log in with {user.email}."
        )


@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def confirm_email(request: HttpRequest, token: str) -> HttpResponse:
    """The link from the new address: one more click makes it the one that signs in; the old one is told."""
    user = cast(User, request.user)
    try:
        new = new_address.read(user, token)
        if request.method == "POST":
            letters.tell_old_address(user, new_address.take(user, token))
            messages.success(request, f"From now on you log in with {new}.")
            return redirect("profile")
    except new_address.LinkOver as error:
        messages.error(request, str(error))
        return redirect("profile_email")
    frame_of_last_tenant(request)
    return render(request, "tenancy/profile_email_confirm.html", {"new": new})
