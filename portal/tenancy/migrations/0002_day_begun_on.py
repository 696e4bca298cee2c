from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tenancy", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="tenant",
            name="day_begun_on",
            field=models.DateField(
                editable=False,
                help_text="The tenant's day whose work is done: tiers and audiences.",
                null=True,
            ),
        ),
    ]
