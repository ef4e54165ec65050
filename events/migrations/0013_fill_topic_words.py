from django.db import migrations

from events import slugs

BATCH = 5000


def fill(apps, schema_editor):
    Topic, TopicWord = apps.get_model("events", "Topic"), apps.get_model("events", "TopicWord")
    words = [
        TopicWord(topic_id=pk, word=word)
        for pk, name in Topic.objects.values_list("pk", "name")
        for word in slugs.later_words(name)
    ]
    TopicWord.objects.bulk_create(words, batch_size=BATCH, ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [("events", "0012_topic_word")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
