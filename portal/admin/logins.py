"""Who tried to sign in, and who changed which setting: to be read, never changed."""

from auditlog.models import LogEntry
from axes.models import AccessAttempt, AccessLog
from django.contrib import admin

from portal.admin_site import ReadOnlyAdmin, site


@admin.register(LogEntry, site=site)
class ChangeAdmin(ReadOnlyAdmin):
    """Changes of settings, before and after."""

    label = "Changed settings"
    list_display = ("timestamp", "actor", "action", "content_type", "object_repr")
    list_filter = ("action",)
    list_select_related = ("actor", "content_type")
    fields = ("timestamp", "actor", "action", "content_type", "object_repr", "changes_text")
    readonly_fields = ("changes_text",)
    sortable_by = ()

    @admin.display(description="Changes")
    def changes_text(self, entry: LogEntry) -> str:
        return str(entry.changes_str)


@admin.register(AccessAttempt, site=site)
class AttemptAdmin(ReadOnlyAdmin):
    """Wrong passwords, and who is locked out now."""

    group = "System"
    label = "Wrong passwords"
    list_display = ("attempt_time", "username", "ip_address", "failures_since_start")
    list_select_related = ()
    fields = ("attempt_time", "username", "ip_address", "user_agent", "failures_since_start")
    search_fields = ("username", "ip_address")
    sortable_by = ()


@admin.register(AccessLog, site=site)
class AccessAdmin(ReadOnlyAdmin):
    group = "System"
    label = "Log-ins"
    list_display = ("attempt_time", "username", "ip_address", "logout_time")
    list_select_related = ()
    fields = ("attempt_time", "logout_time", "username", "ip_address", "user_agent")
    search_fields = ("username", "ip_address")
    sortable_by = ()
