from itertools import islice

from django.db import migrations

from events import documents, tokens

BATCH = 1000


def fill(apps, schema_editor):
    Edition, SearchRow = apps.get_model("events", "Edition"), apps.get_model("events", "SearchRow")
    missing = Edition.objects.filter(document__isnull=False, search_row=None).order_by()
    keys = iter(list(missing.values_list("pk", flat=True)))
    while batch := list(islice(keys, BATCH)):
        texts = Edition.objects.filter(pk__in=batch).order_by().values_list("pk", "document", "schema")
        rows = ((pk, *tokens.of_document(documents.read(document, schema))) for pk, document, schema in texts)
        SearchRow.objects.bulk_create(SearchRow(edition_id=pk, head=head, body=body) for pk, head, body in rows)


class Migration(migrations.Migration):
    dependencies = [("events", "0017_search_engine")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
