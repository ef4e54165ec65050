import gzip
import lzma
import os
from contextlib import contextmanager
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from events import exporting, publishing


class Command(BaseCommand):
    help = "Write the public record, with every edition, in the import format (docs/import.md)."

    def add_arguments(self, parser):
        help = "the file to write, compressed if it ends in .xz or .gz; standard output by default"
        parser.add_argument("file", nargs="?", default="-", metavar="FILE", help=help)

    def handle(self, *, file, **options):
        publishing.settle()
        try:
            with _opened(file, self.stdout) as output:
                # Shown on a terminal only.
                for line in tqdm(exporting.lines(), desc="exporting", unit=" lines", disable=None):
                    output.write(line + "\n")
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from error


@contextmanager
def _opened(name, standard_output):
    """The file, under another name until it is whole, so that a broken export is never taken for one."""
    if name == "-":
        yield standard_output
        return
    draft = Path(f"{name}.part")
    opened = {".xz": lzma.open, ".gz": gzip.open}.get(Path(name).suffix, open)
    with opened(draft, "wt", encoding="utf-8") as output:
        yield output
    os.replace(draft, name)
