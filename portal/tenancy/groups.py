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
    "integrations": [
        "view_syncrun",
        "view_syncrow",
        "view_syncbatch",
        "view_delivery",
        "rerun_syncrun",
        "view_dismissal",
        "add_dismissal",
        "view_failurecare",
        "change_failurecare",
        "view_incident",
    ],
}
# Staff view everything, and do the daily work. Superusers alone erase people, change groups and permissions,
# and make or change the accounts of staff (portal/tenancy/admin/people.py holds that line).
STAFF_CHANGES = {
    "tenancy": {
        "tenant": "add change",
        "membership": "add change delete",
        "apitoken": "add change",
        "user": "add change",
    },
    "loyalty": {"member": "change", "tier": "add change delete", "audience": "add change"},
    "integrations": {
        "extension": "add change",
        "fieldmapping": "add change delete",
        "eventmapping": "add change delete",
        "audiencemapping": "add change delete",
    },
}
STAFF_EXTRA = {
    "loyalty": ["adjust_points"],
    "integrations": ["rerun_syncrun", "add_dismissal", "change_failurecare"],
}


def _staff_codes(label: str) -> list[str]:
    changes = STAFF_CHANGES.get(label, {})
    return STAFF_EXTRA.get(label, []) + [
        f"{act}_{model}" for model, acts in changes.items() for act in acts.split()
    ]


def keep_groups(app_config: AppConfig, **kwargs: Any) -> None:
    """Handler of post_migrate, once per app: give the groups this app's share of permissions."""
    of_app = Permission.objects.filter(content_type__app_label=app_config.label)
    staff = of_app.filter(codename__startswith="view_") | of_app.filter(
        codename__in=_staff_codes(app_config.label)
    )
    support = of_app.filter(codename__in=SUPPORT.get(app_config.label, []))
    for name, permissions in (("Staff", staff), ("Support", support)):
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.add(*permissions)
