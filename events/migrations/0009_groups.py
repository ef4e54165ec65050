from django.conf import settings
from django.db import migrations

REPORTER = ["add_event", "change_own_event", "view_topic", "add_topic", "view_category"]
EDITOR = [
    *REPORTER, "view_event", "change_event", "delete_event", "publish_event",
    "merge_topic", "rename_topic", "add_category", "change_category",
]
CHIEF = [
    *EDITOR, "withdraw_event", "restore_event", "redact_event", "override_minor", "delete_category", "view_auditentry",
    "view_user", "add_user", "change_user",
]
GROUPS = {"Reporter": REPORTER, "Editor": EDITOR, "Chief": CHIEF}


def make_groups(apps, schema_editor):
    """Django makes permissions after all migrations; it leaves those alone that it finds."""
    Group = apps.get_model("auth", "Group")
    for name, codenames in GROUPS.items():
        group, _created = Group.objects.get_or_create(name=name)
        group.permissions.add(*[permission(apps, codename) for codename in codenames])


def permission(apps, codename):
    action, _, model = codename.rpartition("_")
    app = "auth" if model == "user" else "events"
    if codename == "override_minor":
        action, model = codename, "event"
    if codename == "change_own_event":
        action = "change_own"
    content_type, _created = apps.get_model("contenttypes", "ContentType").objects.get_or_create(app_label=app, model=model)
    names = dict(apps.get_model(app, model)._meta.permissions)
    name = names.get(codename, f"Can {action} {'audit entry' if model == 'auditentry' else model}")
    found, _created = apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=content_type, codename=codename, defaults={"name": name}
    )
    return found


def remove_groups(apps, schema_editor):
    apps.get_model("auth", "Group").objects.filter(name__in=GROUPS).delete()


class Migration(migrations.Migration):
    """The three roles of a newsroom."""

    dependencies = [
        ("events", "0008_audit_entry"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="event",
            options={
                "permissions": [
                    ("change_own_event", "Can edit and submit own drafts"),
                    ("publish_event", "Can publish and schedule entries"),
                    ("withdraw_event", "Can withdraw entries"),
                    ("restore_event", "Can restore entries"),
                    ("redact_event", "Can redact editions"),
                    ("override_minor", "Can call a change minor that alters facts"),
                ]
            },
        ),
        migrations.RunPython(make_groups, remove_groups),
    ]
