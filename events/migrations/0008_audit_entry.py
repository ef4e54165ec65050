import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Who did what at the desk, refusals included."""

    dependencies = [
        ("events", "0007_presence"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
                ("name", models.CharField(blank=True, help_text="The user name, also of a login that failed.", max_length=150)),
                ("verb", models.CharField(max_length=30)),
                ("outcome", models.CharField(choices=[("done", "Done"), ("refused", "Refused")], max_length=10)),
                ("subject", models.CharField(blank=True, help_text="The entry's uid, a topic, a person.", max_length=300)),
                ("detail", models.TextField(blank=True)),
                ("ip", models.GenericIPAddressField(null=True)),
                ("by", models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL)),
                ("event", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="events.event")),
            ],
            options={"verbose_name_plural": "audit", "ordering": ["-pk"], "default_permissions": ["view"]},
        ),
    ]
