"""The team: who is in it, in which role, and who is invited."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.tenancy import invitations, letters, pace
from portal.tenancy import team as service
from portal.tenancy.guards import TenantRequest, can, tenant_view
from portal.tenancy.models import Invitation, Role
from portal.tenancy.settings_forms import InviteForm, RoleForm


@require_safe
@tenant_view()
def team(request: TenantRequest) -> HttpResponse:
    context = {
        "people": service.people(request.tenant),
        "waiting": invitations.waiting(request.tenant),
        "now": timezone.now(),
        "may_change": can(request.role, Role.OWNER),
    }
    return render(request, "tenancy/team.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
@tenant_view(role=Role.OWNER)
def invite(request: TenantRequest) -> HttpResponse:
    form = InviteForm(request.POST or None, initial={"role": Role.VIEWER})
    if form.is_valid():
        try:
            made, link = invitations.make(
                request.tenant,
                email=form.cleaned_data["email"],
                role=Role(form.cleaned_data["role"]),
                by=request.user,
            )
        except service.TeamRefused as refusal:
            form.add_error("email", refusal.words)
        else:
            return _invited(request, made, link)
    return render(request, "tenancy/invite.html", {"form": form})


@never_cache
@require_POST
@tenant_view(role=Role.OWNER)
def again(request: TenantRequest, invitation_id: int) -> HttpResponse:
    """Send it again, with a new link."""
    invitation = get_object_or_404(request.tenant.invitations, pk=invitation_id)
    if not pace.may(f"invitation-{invitation.pk}", seconds=60):
        messages.warning(request, "It was sent again less than a minute ago. Wait a minute, then try again.")
        return redirect("team", slug=request.tenant.slug)
    try:
        link = invitations.renew(invitation)
    except service.TeamRefused as refusal:
        messages.error(request, refusal.words)
        return redirect("team", slug=request.tenant.slug)
    return _invited(request, invitation, link)


@require_POST
@tenant_view(role=Role.OWNER)
def end(request: TenantRequest, invitation_id: int) -> HttpResponse:
    invitation = get_object_or_404(request.tenant.invitations, pk=invitation_id)
    if invitations.revoke(invitation):
        messages.success(
            request, f"The invitation of {invitation.email} is taken back: its link no longer works."
        )
    else:
        messages.warning(request, f"The invitation of {invitation.email} was over already.")
    return redirect("team", slug=request.tenant.slug)


@require_http_methods(["GET", "POST"])
@tenant_view(role=Role.OWNER)
def role(request: TenantRequest, membership_id: int) -> HttpResponse:
    membership = get_object_or_404(request.tenant.memberships.select_related("user"), pk=membership_id)
    form = RoleForm(request.POST or None, initial={"role": membership.role})
    if form.is_valid():
        wanted = Role(form.cleaned_data["role"])
        try:
            service.change_role(membership, wanted)
        except service.TeamRefused as refusal:
            form.add_error(None, refusal.words)
        else:
            messages.success(request, f"{membership.user} is {wanted.label.lower()} now.")
            return redirect("team", slug=request.tenant.slug)
    return render(request, "tenancy/role.html", {"form": form, "membership": membership})


@require_http_methods(["GET", "POST"])
@tenant_view(role=Role.OWNER)
def remove(request: TenantRequest, membership_id: int) -> HttpResponse:
    membership = get_object_or_404(request.tenant.memberships.select_related("user"), pk=membership_id)
    is_oneself = membership.user == request.user
    if request.method == "POST":
        try:
            service.remove(membership)
        except service.TeamRefused as refusal:
            messages.error(request, refusal.words)
            return redirect("team", slug=request.tenant.slug)
        messages.success(request, f"{membership.user} has no access to {request.tenant} any more.")
        return redirect("home") if is_oneself else redirect("team", slug=request.tenant.slug)
    context = {
        "membership": membership,
        "is_oneself": is_oneself,
        "refusal": service.LAST_OWNER if service.is_last_owner(membership) else "",
    }
    return render(request, "tenancy/remove.html", context)


def _invited(request: TenantRequest, invitation: Invitation, link: str) -> HttpResponse:
    """The one page that shows the link: it is in no message, session or log of ours."""
    context = {
        "invitation": invitation,
        "link": link,
        "is_sent": letters.send_invitation(invitation, link),
        "is_printed": letters.are_printed(),
    }
    return render(request, "tenancy/invited.html", context)
