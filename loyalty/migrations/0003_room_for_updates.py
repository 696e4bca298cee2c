"""Balances change far more often than what is indexed: leave room on each page for updates in place."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0002_relations_and_constraints")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE loyalty_member SET (fillfactor = 85); ALTER TABLE loyalty_pointslot SET (fillfactor = 85);",
            "ALTER TABLE loyalty_member RESET (fillfactor); ALTER TABLE loyalty_pointslot RESET (fillfactor);",
        )
    ]
