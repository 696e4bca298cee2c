"""Merchant pages of the engine, below the tenant's address; and where the destination sends people back to."""

from django.urls import include, path

from integrations.views import (
    alerts,
    audiences,
    connecting,
    dictionary,
    events,
    failures,
    fields,
    integrations,
    list_linking,
    lists,
    member_panel,
    overview,
    runs,
    signing_in,
    starting,
    why,
)

tenant_urls = [
    path("", overview.overview, name="overview"),
    path("failures/", failures.failures, name="failures"),
    path("failures/<int:extension_id>/", failures.failure, name="failure"),
    path("failures/<int:extension_id>/rerun/", failures.rerun, name="failure_rerun"),
    # Runs
    path("runs/", runs.runs, name="runs"),
    path("runs.csv", runs.runs_csv, name="runs_csv"),
    path("runs/start/", starting.start, name="sync_start"),
    path("runs/<int:run_id>/", runs.run, name="run"),
    path("runs/<int:run_id>/progress/", runs.run_progress, name="run_progress"),
    path("runs/<int:run_id>/not-arrived.csv", runs.run_csv, name="run_csv"),
    path("runs/<int:run_id>/rerun/", starting.rerun, name="run_rerun"),
    path("runs/<int:run_id>/cancel/", starting.cancel, name="run_cancel"),
    # One member
    path("members/<int:member_id>/sent/", member_panel.member_panel, name="member_panel"),
    path("members/<int:member_id>/why/", why.why, name="why"),
    path("members/<int:member_id>/now/", why.now, name="member_now"),
    path("members/<int:member_id>/resend/", why.resend, name="member_resend"),
    # Integrations: connections and how they are signed in
    path("integrations/", integrations.integrations, name="integrations"),
    path("integrations/new/", integrations.new, name="integration_new"),
    path("integrations/<int:extension_id>/", integrations.integration, name="integration"),
    path("integrations/<int:extension_id>/settings/", integrations.settings, name="integration_settings"),
    path("integrations/<int:extension_id>/delete/", integrations.delete, name="integration_delete"),
    path("integrations/<int:extension_id>/connect/", connecting.connect, name="integration_connect"),
    path("integrations/<int:extension_id>/key/", connecting.key, name="integration_key"),
    path("integrations/<int:extension_id>/check/", connecting.check, name="integration_check"),
    path("integrations/<int:extension_id>/active/", connecting.active, name="integration_active"),
    path("integrations/<int:extension_id>/disconnect/", connecting.disconnect, name="integration_disconnect"),
    # Audiences and the lists that they become
    path("audiences/", audiences.audiences, name="audiences"),
    path("audiences/<int:audience_id>/", audiences.audience, name="audience"),
    path("audiences/<int:audience_id>/delete/", audiences.audience_delete, name="audience_delete"),
    path("audiences/<int:audience_id>/link/", list_linking.list_link, name="list_link"),
    path("lists/choices/", list_linking.choices, name="list_choices"),
    path("lists/sentence/", list_linking.sentence, name="list_sentence"),
    path("lists/<int:list_mapping_id>/", lists.list_edit, name="list_edit"),
    path("lists/<int:list_mapping_id>/pause/", lists.list_pause, name="list_pause"),
    path("lists/<int:list_mapping_id>/unlink/", lists.list_unlink, name="list_unlink"),
    path("lists/<int:list_mapping_id>/fill/", lists.list_fill, name="list_fill"),
    path("lists/<int:list_mapping_id>/count/", lists.list_count, name="list_count"),
    # Fields
    path("fields/", fields.fields, name="fields"),
    path("fields/new/", fields.field_new, name="field_new"),
    path("fields/samples/", fields.field_samples, name="field_samples"),
    path("fields/standard/", fields.fields_standard, name="fields_standard"),
    path("fields/keep/", fields.field_keep, name="field_keep"),
    path("fields/<int:field_mapping_id>/", fields.field_edit, name="field_edit"),
    path("fields/<int:field_mapping_id>/remove/", fields.field_remove, name="field_remove"),
    # Events, and what e-mails can show
    path("events/", events.events, name="events"),
    path("events/<slug:kind>/", events.event, name="event"),
    path("events/<slug:kind>/edit/", events.event_edit, name="event_edit"),
    path("events/<slug:kind>/switch/", events.event_switch, name="event_switch"),
    path("events/<slug:kind>/sample/", events.event_sample, name="event_sample"),
    path("dictionary/", dictionary.dictionary, name="dictionary"),
    path("dictionary.csv", dictionary.dictionary_csv, name="dictionary_csv"),
    # Settings
    path("settings/alerts/", alerts.alerts, name="alerts"),
    path("settings/alerts/test/", alerts.alerts_test, name="alerts_test"),
]
urlpatterns = [
    path("t/<slug:slug>/", include(tenant_urls)),
    path("integrations/<slug:destination>/callback", signing_in.callback, name="oauth_callback"),
]
