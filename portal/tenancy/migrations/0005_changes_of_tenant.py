"""The audit trail is read by tenant (portal/tenancy/changes.py); its table belongs to django-auditlog."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ("tenancy", "0004_two_factor"),
        ("auditlog", "0017_add_actor_email"),
    ]

    operations = [
        migrations.RunSQL(
            "CREATE INDEX tenancy_changes_of_tenant ON auditlog_logentry ((additional_data -> 'tenant_id'), id) "
            "WHERE additional_data IS NOT NULL",
            "DROP INDEX tenancy_changes_of_tenant",
        ),
    ]
