from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

import events
from events.importers import files, loading, records
from events.models import LogHead

SAMPLE = Path(events.__file__).parent / "sample" / "chronicle.jsonl"


class Command(BaseCommand):
    help = "Load the sample chronicle that comes with Newsdesk."

    def add_arguments(self, parser):
        parser.add_argument("--if-empty", action="store_true", help="do nothing if anything was ever published here")

    def handle(self, *, if_empty, **options):
        if if_empty and LogHead.objects.get().seq:
            self.stdout.write("sample: not loaded, since the record is not empty")
            return
        tally = loading.load(records.read(files.lines(str(SAMPLE)), loading.rules()), self.stderr.write)
        self.stdout.write(f"sample: {tally}")
        if not tally.whole:
            raise CommandError("not all of the sample was loaded; the lines above say what and why.")
