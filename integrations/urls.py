"""Merchant pages of the engine, below the tenant's address."""

from django.urls import include, path

from integrations.views import connection, member_panel, overview, runs, starting

tenant_urls = [
    path("", overview.overview, name="overview"),
    path("runs/", runs.runs, name="runs"),
    path("runs/start/", starting.start, name="sync_start"),
    path("runs/<int:run_id>/", runs.run, name="run"),
    path("runs/<int:run_id>/progress/", runs.run_progress, name="run_progress"),
    path("runs/<int:run_id>/not-arrived.csv", runs.run_csv, name="run_csv"),
    path("runs/<int:run_id>/rerun/", starting.rerun, name="run_rerun"),
    path("runs/<int:run_id>/cancel/", starting.cancel, name="run_cancel"),
    path("members/<int:member_id>/sent/", member_panel.member_panel, name="member_panel"),
    path("connection/", connection.connection, name="connection"),
    path("connection/<int:extension_id>/active/", connection.connection_active, name="connection_active"),
    path("connection/<int:extension_id>/key/", connection.connection_key, name="connection_key"),
    path("connection/<int:extension_id>/check/", connection.connection_check, name="connection_check"),
]
urlpatterns = [path("t/<slug:slug>/", include(tenant_urls))]
