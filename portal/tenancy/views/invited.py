"""Accepting an invitation: with the account that is there, or a new one."""

from django.contrib import messages
from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.tenancy import invitations
from portal.tenancy.forms import NewPersonForm
from portal.tenancy.models import Invitation, User
from portal.tenancy.team import TeamRefused

OPENED = "invitation"  # in the session: the digest of the link that was opened
BACKEND = "django.contrib.auth.backends.ModelBackend"


@never_cache
@require_safe
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """Keep the digest and go on without the token: so it is in no referrer and no `next` of a log-in."""
    request.session[OPENED] = invitations.digest_of(token)
    return redirect("invitation_accept")


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def accept(request: HttpRequest) -> HttpResponse:
    invitation = invitations.find(request.session.get(OPENED, ""))
    if invitation is None:
        return render(request, "tenancy/invitation_over.html", {"words": invitations.OVER}, status=410)
    if isinstance(request.user, User):
        return _join(request, request.user, invitation)
    if User.objects.filter(email=invitation.email).exists():
        return render(request, "tenancy/invitation_log_in.html", {"invitation": invitation})
    return _sign_up(request, invitation)


@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """Log out whoever is signed in, and come back to the invitation."""
    opened = request.session.get(OPENED, "")
    logout(request)
    request.session[OPENED] = opened
    return redirect("invitation_accept")


def _join(request: HttpRequest, user: User, invitation: Invitation) -> HttpResponse:
    is_theirs = user.email == invitation.email
    if request.method == "POST" and is_theirs:
        try:
            tenant = invitations.join(invitation.digest, user)
        except TeamRefused as refusal:
            return render(request, "tenancy/invitation_over.html", {"words": refusal.words}, status=410)
        del request.session[OPENED]
        messages.success(request, f"You are in the team of {tenant} now.")
        return redirect("overview", slug=tenant.slug)
    return render(request, "tenancy/invitation_join.html", {"invitation": invitation, "is_theirs": is_theirs})


def _sign_up(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    form = NewPersonForm(request.POST or None, email=invitation.email)
    if form.is_valid():
        try:
            user, tenant = invitations.sign_up(invitation.digest, **form.cleaned_data)
        except TeamRefused as refusal:
            form.add_error(None, refusal.words)
        else:
            login(request, user, backend=BACKEND)
            request.session.pop(OPENED, None)
            messages.success(request, f"Welcome. You are in the team of {tenant} now.")
            return redirect("overview", slug=tenant.slug)
    return render(request, "tenancy/invitation_new_person.html", {"invitation": invitation, "form": form})
