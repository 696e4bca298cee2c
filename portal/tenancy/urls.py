"""Addresses of people: signing in and out, the profile, the choice of a tenant, its settings and team."""

from django.urls import include, path

from portal.tenancy.views import general, invited, profile, signing_in, team, tokens, two_factor, ways

tenant_urls = [
    path("settings/", general.tenant_settings, name="tenant_settings"),
    path("settings/change/", general.change, name="tenant_settings_change"),
    path("settings/history/", general.history, name="setting_changes"),
    path("settings/team/", team.team, name="team"),
    path("settings/team/invite/", team.invite, name="invitation_new"),
    path("settings/team/invitations/<int:invitation_id>/again/", team.again, name="invitation_again"),
    path("settings/team/invitations/<int:invitation_id>/end/", team.end, name="invitation_end"),
    path("settings/team/<int:membership_id>/role/", team.role, name="member_role"),
    path("settings/team/<int:membership_id>/remove/", team.remove, name="member_remove"),
    path("settings/tokens/", tokens.api_tokens, name="api_tokens"),
    path("settings/tokens/new/", tokens.create, name="api_token_new"),
    path("settings/tokens/<int:token_id>/revoke/", tokens.revoke, name="api_token_revoke"),
]
urlpatterns = [
    path("t/<slug:slug>/", include(tenant_urls)),
    path("", ways.home, name="home"),
    path("tenants/", ways.tenants, name="tenants"),
    path("login/code/", signing_in.second_factor, name="second_factor"),
    path("logout/", signing_in.LogOut.as_view(), name="logout"),
    path("invitation/", invited.accept, name="invitation_accept"),
    path("invitation/leave/", invited.leave, name="invitation_leave"),
    path("invitation/<str:token>/", invited.open_link, name="invitation"),
    path("password/change/", signing_in.ChangePassword.as_view(), name="password_change"),
    path("password/changed/", signing_in.PasswordChanged.as_view(), name="password_changed"),
    path("password/reset/", signing_in.ResetPassword.as_view(), name="password_reset"),
    path("password/reset/sent/", signing_in.PasswordResetSent.as_view(), name="password_reset_sent"),
    path("password/set/<uidb64>/<token>/", signing_in.SetPassword.as_view(), name="password_reset_confirm"),
    path("password/set/done/", signing_in.PasswordSet.as_view(), name="password_set_done"),
    path("profile/", profile.profile, name="profile"),
    path("profile/email/", profile.email, name="profile_email"),
    path("profile/email/<str:token>/", profile.confirm_email, name="profile_email_confirm"),
    path("profile/two-factor/", two_factor.start, name="two_factor"),
    path("profile/two-factor/set-up/", two_factor.set_up, name="two_factor_set_up"),
    path("profile/two-factor/codes/", two_factor.recovery_codes, name="two_factor_codes"),
    path("profile/two-factor/off/", two_factor.off, name="two_factor_off"),
]
