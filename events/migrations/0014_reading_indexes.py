from django.db import migrations, models


class Migration(migrations.Migration):
    """What the pages of categories and corrections are read from."""

    dependencies = [("events", "0013_fill_topic_words")]

    operations = [
        migrations.AddIndex(
            model_name="edition",
            index=models.Index(
                condition=models.Q(("document__isnull", False)),
                fields=["category", "date", "issued", "superseded", "event"],
                name="edition_by_category",
            ),
        ),
        migrations.AddIndex(
            model_name="edition",
            index=models.Index(
                condition=models.Q(("kind__in", ["correction", "withdraw", "restore"])),
                fields=["issued", "event", "number"],
                name="edition_owned_up",
            ),
        ),
    ]
