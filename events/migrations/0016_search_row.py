import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("events", "0015_corrections_policy")]

    operations = [
        migrations.CreateModel(
            name="SearchRow",
            fields=[
                (
                    "edition",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="search_row",
                        serialize=False,
                        to="events.edition",
                    ),
                ),
                ("head", models.TextField(help_text="Headline, story, topics, category and the names of sources.")),
                ("body", models.TextField()),
            ],
        ),
    ]
