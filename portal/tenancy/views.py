"""Signing in and out, passwords, and the way to one's tenant."""

from typing import Any

from django.conf import settings
from django.contrib.auth import views as auth
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy

from portal.tenancy.forms import LogInForm
from portal.tenancy.guards import LAST_TENANT, VISIT, TenantRequest, tenant_view
from portal.tenancy.models import Tenant, User


class LogIn(auth.LoginView):
    form_class = LogInForm
    template_name = "tenancy/login.html"
    redirect_authenticated_user = True


class LogOut(auth.LogoutView):
    http_method_names = ["post", "options"]


class ChangePassword(auth.PasswordChangeView):
    template_name = "tenancy/password_change.html"
    success_url = reverse_lazy("password_changed")


class PasswordChanged(auth.PasswordChangeDoneView):
    template_name = "tenancy/password_changed.html"


class ResetPassword(auth.PasswordResetView):
    template_name = "tenancy/password_reset.html"
    email_template_name = "tenancy/password_reset_email.txt"
    subject_template_name = "tenancy/password_reset_subject.txt"
    success_url = reverse_lazy("password_reset_sent")


class PasswordResetSent(auth.PasswordResetDoneView):
    template_name = "tenancy/password_reset_sent.html"


class SetPassword(auth.PasswordResetConfirmView):
    template_name = "tenancy/password_set.html"
    success_url = reverse_lazy("password_set_done")


class PasswordSet(auth.PasswordResetCompleteView):
    template_name = "tenancy/password_set_done.html"


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """To the tenant used last, or the only one; else a chooser; staff without one go to the admin."""
    user = request.user
    assert isinstance(user, User)
    tenants = list(Tenant.objects.filter(memberships__user=user))
    last = request.session.get(LAST_TENANT)
    chosen = [tenant for tenant in tenants if tenant.slug == last] or tenants
    if len(chosen) == 1:
        return redirect("overview", slug=chosen[0].slug)
    if not tenants and user.is_staff:
        return redirect("admin:index")
    return render(request, "tenancy/home.html", {"tenants": tenants})


@login_required
def tenants(request: HttpRequest) -> HttpResponse:
    """All tenants that this person may open."""
    user = request.user
    assert isinstance(user, User)
    may_visit = user.is_staff and user.has_perm(VISIT)
    found = Tenant.objects.all() if may_visit else Tenant.objects.filter(memberships__user=user)
    return render(request, "tenancy/home.html", {"tenants": list(found[:500])})


def lockout(request: HttpRequest, response: Any = None, credentials: Any = None, *args: Any) -> HttpResponse:
    """Answer of django-axes to too many wrong passwords."""
    minutes = round(float(settings.AXES_COOLOFF_TIME) * 60)
    return render(request, "tenancy/lockout.html", {"minutes": minutes}, status=429)


@tenant_view()
def to_come(request: TenantRequest, /, **parameters: int | str) -> HttpResponse:
    raise Http404("There is nothing at this address.")
