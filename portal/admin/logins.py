"""Who tried to sign in, and who changed which setting: to be read; a lock-out can be ended."""

from datetime import timedelta

from auditlog.models import LogEntry
from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from typing_extensions import override

from portal.admin_site import ReadOnlyAdmin, site
from portal.templatetags.portal_tags import badge


@admin.register(LogEntry, site=site)
class ChangeAdmin(ReadOnlyAdmin):
    """The entries of the audit one by one, as they are stored; the index leads to the audit itself."""

    label = "Entries of the audit"
    list_display = ("timestamp", "actor", "action", "content_type", "object_repr")
    list_filter = ("action",)
    list_select_related = ("actor", "content_type")
    fields = ("timestamp", "actor", "action", "content_type", "object_repr", "changes_text")
    readonly_fields = ("changes_text",)
    sortable_by = ()

    @override
    def has_module_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.display(description="Changes")
    def changes_text(self, entry: LogEntry) -> str:
        return str(entry.changes_str)


@admin.register(AccessAttempt, site=site)
class AttemptAdmin(ReadOnlyAdmin):
    """Wrong passwords, and who is locked out now."""

    group = "System"
    label = "Wrong passwords"
    list_display = ("attempt_time", "username", "ip_address", "failures_since_start", "state")
    list_select_related = ()
    fields = ("attempt_time", "username", "ip_address", "user_agent", "failures_since_start")
    search_fields = ("username", "ip_address")
    sortable_by = ()
    actions = ("end_lock_out",)

    @admin.display(description="State")
    def state(self, attempt: AccessAttempt) -> SafeString:
        """By this row alone: tries with several browsers from one address are counted together."""
        until = attempt.attempt_time + timedelta(hours=float(settings.AXES_COOLOFF_TIME))
        if until <= timezone.now():
            return badge("off", "Over")
        if attempt.failures_since_start < settings.AXES_FAILURE_LIMIT:
            return badge("open", "May try again")
        return badge("bad", f"Locked out until {timezone.localtime(until):%H:%M %Z}")

    def has_unlock_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    @admin.action(description="Let them try again now", permissions=["unlock"])
    def end_lock_out(self, request: HttpRequest, chosen: QuerySet[AccessAttempt]) -> None:
        pairs = set(chosen.values_list("username", "ip_address"))
        for username, ip_address in pairs:
            AccessAttempt.objects.filter(username=username, ip_address=ip_address).delete()
        self.message_user(request, f"{len(pairs)} may try again now.", messages.SUCCESS)


@admin.register(AccessLog, site=site)
class AccessAdmin(ReadOnlyAdmin):
    group = "System"
    label = "Log-ins"
    list_display = ("attempt_time", "username", "ip_address", "logout_time")
    list_select_related = ()
    fields = ("attempt_time", "logout_time", "username", "ip_address", "user_agent")
    search_fields = ("username", "ip_address")
    sortable_by = ()
