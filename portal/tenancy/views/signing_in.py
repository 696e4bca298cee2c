"""Signing in and out: the password, the code after it, and what locks people out."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views as auth
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from typing_extensions import override

from portal.tenancy.forms import CodeForm, ForgottenForm, LogInForm
from portal.tenancy.two_factor import codes, door


class LogIn(auth.LoginView):
    form_class = LogInForm
    template_name = "tenancy/login.html"
    redirect_authenticated_user = True

    @override
    def form_valid(self, form: Any) -> Any:
        """A right password signs in, unless a code is to follow: then nobody is signed in yet."""
        user = form.get_user()
        if not codes.is_on(user):
            return super().form_valid(form)
        door.wait_for_code(self.request, user, self.get_redirect_url())
        return redirect("second_factor")


@sensitive_post_parameters("code")
@never_cache
@require_http_methods(["GET", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """The code after the password. Wrong ones count towards the lock-out, and slow down the next try."""
    user = door.who_waits(request)
    if user is None:
        door.forget(request)
        messages.warning(request, "Log in with your password first. The code is then asked for five minutes.")
        return redirect("login")
    if not door.may_try(request, user):
        return lockout(request)
    form = CodeForm(request.POST or None)
    if form.is_valid():
        verdict = codes.check(user, form.cleaned_data["code"])
        if verdict.is_right:
            return redirect(door.let_in(request, user) or settings.LOGIN_REDIRECT_URL)
        if verdict.was_tried:
            door.count_failure(request, user)
        form.add_error("code", verdict.words)
    return render(request, "tenancy/second_factor.html", {"form": form, "user_email": user.email})


class LogOut(auth.LogoutView):
    http_method_names = ["post", "options"]


class ChangePassword(auth.PasswordChangeView):
    template_name = "tenancy/password_change.html"
    success_url = reverse_lazy("password_changed")


class PasswordChanged(auth.PasswordChangeDoneView):
    template_name = "tenancy/password_changed.html"


class ResetPassword(auth.PasswordResetView):
    form_class = ForgottenForm
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


def lockout(request: HttpRequest, response: Any = None, credentials: Any = None, *args: Any) -> HttpResponse:
    """Answer of django-axes to too many wrong passwords."""
    minutes = round(float(settings.AXES_COOLOFF_TIME) * 60)
    return render(request, "tenancy/lockout.html", {"minutes": minutes}, status=429)
