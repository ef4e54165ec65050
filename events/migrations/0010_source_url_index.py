from django.db import migrations, models
from django.db.models.functions import Left


class Migration(migrations.Migration):
    """Where an address is cited already."""

    dependencies = [("events", "0009_groups")]

    operations = [
        migrations.AddIndex(model_name="source", index=models.Index(Left("url", 200), name="source_url_start")),
    ]
