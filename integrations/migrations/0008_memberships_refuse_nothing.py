from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0007_news_first"),
    ]

    operations = [
        migrations.RemoveField(model_name="sentmembership", name="refused_at"),
    ]
