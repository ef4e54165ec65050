from itertools import islice

from django.db import migrations

from events import documents

BATCH = 1000


def fill(apps, schema_editor):
    Edition, EditionHost = apps.get_model("events", "Edition"), apps.get_model("events", "EditionHost")
    texts = Edition.objects.filter(document__isnull=False).order_by()
    keys = iter(list(texts.values_list("pk", flat=True)))
    while batch := list(islice(keys, BATCH)):
        rows = texts.filter(pk__in=batch).values_list("pk", "date", "document", "schema")
        EditionHost.objects.bulk_create(
            (
                EditionHost(edition_id=pk, host=host, date=date)
                for pk, date, document, schema in rows
                for host in documents.hosts(documents.read(document, schema))
            ),
            # Some may be there, of what was published since the table was made.
            ignore_conflicts=True,
        )


class Migration(migrations.Migration):
    """Which editions cite which host was written in their texts alone."""

    dependencies = [("events", "0021_begin_partners")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
