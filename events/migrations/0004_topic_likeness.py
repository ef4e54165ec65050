from django.db import migrations, models


class Migration(migrations.Migration):
    """What topics that probably mean the same have in common."""

    dependencies = [("events", "0003_event_author")]

    operations = [
        migrations.AddField(
            model_name="topic",
            name="likeness",
            field=models.CharField(db_index=True, default="", editable=False, max_length=1200),
            preserve_default=False,
        ),
    ]
