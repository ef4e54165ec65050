from django.db import migrations

CODENAMES = {
    "view_key": "Can view key",
    "change_key": "Can change key",
    "view_webhook": "Can view webhook",
    "change_webhook": "Can change webhook",
}


def allow_chiefs(apps, schema_editor):
    """Django makes permissions after all migrations; it leaves those alone that it finds."""
    chiefs = apps.get_model("auth", "Group").objects.filter(name="Chief")
    for codename, name in CODENAMES.items():
        content_type, _created = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
            app_label="events", model=codename.partition("_")[2]
        )
        permission, _created = apps.get_model("auth", "Permission").objects.get_or_create(
            content_type=content_type, codename=codename, defaults={"name": name}
        )
        for group in chiefs:
            group.permissions.add(permission)


def take_back(apps, schema_editor):
    permissions = apps.get_model("auth", "Permission").objects
    permissions.filter(content_type__app_label="events", codename__in=CODENAMES).delete()


def begin_outbox(apps, schema_editor):
    """Of what is in the log already nobody has to be told."""
    head = apps.get_model("events", "LogHead").objects.first()
    apps.get_model("events", "Outbox").objects.get_or_create(id=1, defaults={"seq": head.seq if head else 0})


class Migration(migrations.Migration):
    """Chiefs give keys and webhooks to partners; who is told of what is new begins with what comes now."""

    dependencies = [
        ("events", "0020_partners"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.RunPython(allow_chiefs, take_back),
        migrations.RunPython(begin_outbox, migrations.RunPython.noop),
    ]
