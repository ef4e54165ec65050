"""One character anywhere in a real record, two hundred times."""

import random

import pytest
from django.db import transaction

from bench import overlay
from events import verifying
from events.importers import files
from tests.conftest import SHARED
from tests.histories import Loaded
from tests.tampering import TABLES, columns, tamper
from tests.test_verifying import WHERE

pytestmark = [pytest.mark.trial, pytest.mark.shared, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

TRIES = 200
PART = 600


class _Undo(Exception):
    pass


def test_two_hundred_random_characters_are_found_one_at_a_time(tmp_path):
    """The end of the archive, where most corrections are, with a newsroom's later work over it."""
    path = tmp_path / "part.jsonl"
    lines = [line for _place, line in files.lines(str(SHARED / "data" / "archive-1999-2017.jsonl.xz"))]
    path.write_text("".join(lines[-PART:]), encoding="utf-8")
    assert Loaded(path).problems == []
    overlay.main()
    assert list(verifying.problems()) == []
    chance = random.Random(2017)
    places = [(model, column) for model in TABLES for column in columns(model)]
    tried = 0
    while tried < TRIES:
        model, column = chance.choice(places)
        tried += _is_found(chance, model, column)
    assert list(verifying.problems()) == []


def _is_found(chance, model, column):
    """Whether a change was made, which was then found; it is undone."""
    change = None
    try:
        with transaction.atomic():
            change = tamper(chance, model, column, WHERE.get((model, column), "1 = 1"))
            found = next(verifying.problems(), None)
            raise _Undo
    except _Undo:
        assert not change or found, f"{model.__name__}.{column} {change} went unnoticed"
        return bool(change)
