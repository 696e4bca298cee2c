"""Every settle rewrites these rows: room in each page keeps the new version beside the old one."""

from django.db import migrations

TABLES = ("integrations_sentprofile", "integrations_sentmembership", "integrations_syncbatch", "integrations_lane")


class Migration(migrations.Migration):
    dependencies = [("integrations", "0001_initial")]
    operations = [
        migrations.RunSQL(
            f"ALTER TABLE {table} SET (fillfactor = 70)", f"ALTER TABLE {table} RESET (fillfactor)"
        )
        for table in TABLES
    ]
