"""The two standard groups, kept complete after every migrate; an operator may make others beside them."""

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.models import Group, Permission

# Names, not imports: the ground does not know what is built on it.
SUPPORT = {
    "tenancy": ["view_tenant"],
    "loyalty": [
        "view_member",
        "view_pointsentry",
        "view_pointslot",
        "view_tier",
        "view_tierchange",
        "view_audience",
        "view_audiencemember",
        "view_consentrecord",
        "view_outboxevent",
    ],
    "integrations": ["view_syncrun", "view_syncrow", "view_syncbatch", "view_delivery", "rerun_syncrun"],
}
STAFF_EXTRA = {
    "loyalty": ["adjust_points"],
    "integrations": ["rerun_syncrun"],
}


def keep_groups(app_config: AppConfig, **kwargs: Any) -> None:
    """Handler of post_migrate, once per app: give the groups this app's share of permissions."""
    of_app = Permission.objects.filter(content_type__app_label=app_config.label)
    staff = of_app.filter(codename__startswith="view_") | of_app.filter(
        codename__in=STAFF_EXTRA.get(app_config.label, [])
    )
    support = of_app.filter(codename__in=SUPPORT.get(app_config.label, []))
    for name, permissions in (("Staff", staff), ("Support", support)):
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.add(*permissions)
