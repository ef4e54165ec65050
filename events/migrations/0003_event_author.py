import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Who wrote an entry, what has to change in it, and the few that the desk has in hand."""

    dependencies = [
        ("events", "0002_log_head"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="event",
            name="author",
            field=models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name="event",
            name="remark",
            field=models.TextField(blank=True, editable=False, help_text="What has to change, said by the editor who sent the entry back."),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(condition=models.Q(("stage__in", ["draft", "review"])), fields=["stage", "modified"], name="event_in_hand"),
        ),
    ]
