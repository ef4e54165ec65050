from django.db import migrations

CODENAME = "change_correctionspolicy"


def allow_chiefs(apps, schema_editor):
    """Django makes permissions after all migrations; it leaves those alone that it finds."""
    content_type, _created = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="events", model="correctionspolicy"
    )
    permission, _created = apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=content_type, codename=CODENAME, defaults={"name": "Can change corrections policy"}
    )
    for group in apps.get_model("auth", "Group").objects.filter(name="Chief"):
        group.permissions.add(permission)


def take_back(apps, schema_editor):
    permissions = apps.get_model("auth", "Permission").objects
    permissions.filter(content_type__app_label="events", codename=CODENAME).delete()


class Migration(migrations.Migration):
    """Chiefs say how the newsroom corrects."""

    dependencies = [
        ("events", "0018_fill_search_rows"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(allow_chiefs, take_back)]
