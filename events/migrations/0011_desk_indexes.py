from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """What the desk's lists are read from, so that they take no longer when the record grows."""

    dependencies = [
        ('events', '0010_source_url_index'),
        ('reversion', '0002_add_index_on_version_for_content_type_and_db'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name='edition',
            index=models.Index(condition=models.Q(('superseded', None)), fields=['kind', 'event'], name='edition_open_by_kind'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['modified'], name='event_modified'),
        ),
        migrations.AddIndex(
            model_name='topic',
            index=models.Index(condition=models.Q(('alias_of', None)), fields=['-uses', 'key'], name='topic_by_uses'),
        ),
        migrations.AddIndex(
            model_name='topic',
            index=models.Index(condition=models.Q(('alias_of__isnull', False)), fields=['alias_of'], name='topic_alias'),
        ),
    ]
