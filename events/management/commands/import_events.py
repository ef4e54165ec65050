from contextlib import ExitStack

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from events.importers import files, loading, records


class Command(BaseCommand):
    help = "Load events and their histories from files in the import format (docs/import.md), plain, .xz or .gz."

    def add_arguments(self, parser):
        parser.add_argument("files", nargs="+", metavar="FILE", help="a file, or - for standard input")
        parser.add_argument("--strict", action="store_true", help="load nothing unless everything can be loaded")

    def handle(self, **options):
        try:
            tally = self._load(options["files"], options["strict"])
        except files.Unreadable as error:
            raise CommandError(str(error)) from error
        self.stdout.write(str(tally))
        if not tally.whole:
            raise CommandError("not everything was loaded; the lines above say what and why.")

    def _load(self, names, strict):
        if not strict:
            return self._run(loading.load, names, "loading")
        with ExitStack() as stack:
            names = [stack.enter_context(files.kept(name)) for name in names]
            tally = self._run(loading.check, names, "checking")
            if not tally.whole:
                raise CommandError(f"nothing was loaded: {tally.conflicts} conflicts, {tally.bad} bad lines.")
            return self._run(loading.load, names, "loading")

    def _run(self, act, names, title):
        size = sum(files.size(name) or 0 for name in names) or None
        # Shown on a terminal only.
        with tqdm(total=size, desc=title, unit="B", unit_scale=True, disable=None) as bar:
            lines = (line for name in names for line in files.lines(name, bar.update))
            return act(records.read(lines, loading.rules()), self._report)

    def _report(self, problem):
        with tqdm.external_write_mode():
            self.stderr.write(problem)
