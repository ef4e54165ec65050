"""The one row whose lock every public act takes."""

from django.db import migrations


def create_head(apps, schema_editor):
    apps.get_model("events", "LogHead").objects.get_or_create(id=1)


class Migration(migrations.Migration):
    dependencies = [("events", "0001_record")]

    operations = [migrations.RunPython(create_head, migrations.RunPython.noop)]
