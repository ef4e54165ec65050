import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """The words by which the desk finds a topic."""

    dependencies = [("events", "0011_desk_indexes")]

    operations = [
        migrations.CreateModel(
            name="TopicWord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("word", models.CharField(max_length=1200)),
                ("topic", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="words", to="events.topic")),
            ],
            options={"constraints": [models.UniqueConstraint(fields=("word", "topic"), name="topic_word_once")]},
        ),
    ]
