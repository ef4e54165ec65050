"""Histories in the import format, made short for tests, and the commands that load and write them."""

import io
import json

from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.db import connection

from events.models import LogHead

FIRST, SECOND, THIRD = "2018-02-06T13:49:30Z", "2018-02-07T08:00:00Z", "2018-03-01T00:00:00Z"


def history(*versions, ref="wire:1", date="2017-02-25", **values):
    """An event of these versions."""
    return {"ref": ref, "date": date, **values, "versions": list(versions)}


def version(published=FIRST, kind="publish", headline="Parliament adopts the budget.", **values):
    return {"published": published, "kind": kind, "headline": headline, **values}


def update(published=SECOND, headline="Parliament adopts the budget for 2018.", **values):
    return version(published, "update", headline, **values)


def withdrawal(published=SECOND, note="It was a hoax."):
    return {"published": published, "kind": "withdraw", "note": note}


def source(number, name="Agency"):
    return {"name": name, "url": f"https://agency.example/{number}"}


def written(path, *values):
    """The file at `path`, each value a line of it; a text is a line as it is."""
    lines = [value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in values]
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


class Loaded:
    """What `import_events` said: its summary as numbers, the lines about what was left alone, and its last word."""

    def __init__(self, *names, **options):
        output, errors = io.StringIO(), io.StringIO()
        self.refusal = ""
        try:
            call_command("import_events", *map(str, names), stdout=output, stderr=errors, **options)
        except CommandError as error:
            self.refusal = str(error)
        self.problems = errors.getvalue().splitlines()
        words = output.getvalue().replace(",", "").split()
        self.numbers = tuple(int(word) for word in words if word.isdecimal())

    @property
    def problem(self):
        (problem,) = self.problems
        return problem


def exported(path):
    """The lines that `export_events` writes."""
    call_command("export_events", str(path))
    return path.read_text(encoding="utf-8").splitlines()


def emptied():
    """Take everything out of the database."""
    # PostgreSQL truncates no table that has checks outstanding.
    connection.check_constraints()
    call_command("flush", interactive=False, verbosity=0)
    ContentType.objects.clear_cache()
    LogHead.objects.get_or_create(id=1)
