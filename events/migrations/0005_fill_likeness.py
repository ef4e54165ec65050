from django.db import migrations

from events import slugs

BATCH = 1000


def fill(apps, schema_editor):
    Topic = apps.get_model("events", "Topic")
    topics = list(Topic.objects.only("name"))
    for topic in topics:
        topic.likeness = slugs.likeness(topic.name)
    Topic.objects.bulk_update(topics, ["likeness"], batch_size=BATCH)


class Migration(migrations.Migration):
    dependencies = [("events", "0004_topic_likeness")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
