"""Addresses of people: signing in and out, passwords, the choice of a tenant."""

from django.urls import include, path

from portal.tenancy import views

tenant_urls = [
    path("settings/", views.to_come, name="tenant_settings"),
    path("settings/team/", views.to_come, name="team"),
    path("settings/tokens/", views.to_come, name="api_tokens"),
]
urlpatterns = [
    path("t/<slug:slug>/", include(tenant_urls)),
    path("", views.home, name="home"),
    path("logout/", views.LogOut.as_view(), name="logout"),
    path("password/change/", views.ChangePassword.as_view(), name="password_change"),
    path("password/changed/", views.PasswordChanged.as_view(), name="password_changed"),
    path("password/reset/", views.ResetPassword.as_view(), name="password_reset"),
    path("password/reset/sent/", views.PasswordResetSent.as_view(), name="password_reset_sent"),
    path("password/set/<uidb64>/<token>/", views.SetPassword.as_view(), name="password_reset_confirm"),
    path("password/set/done/", views.PasswordSet.as_view(), name="password_set_done"),
    path("tenants/", views.tenants, name="tenants"),
]
