"""The sample that a new installation starts with."""

import io

import pytest
from django.core.management import call_command

from events import verifying
from events.models import Edition, Event, LogHead
from tests.words import published

pytestmark = pytest.mark.django_db


def load_sample(*options):
    output, errors = io.StringIO(), io.StringIO()
    call_command("load_sample", *options, stdout=output, stderr=errors)
    assert errors.getvalue() == ""
    return output.getvalue().splitlines()


def test_the_sample_loads_whole():
    (line,) = load_sample()
    assert line.startswith("sample: ")
    assert line.endswith("0 conflicts, 0 bad lines")
    assert set(Edition.objects.values_list("kind", flat=True)) == set(Edition.Kind.values)
    assert list(verifying.problems()) == []


def test_loading_it_twice_changes_nothing():
    load_sample()
    seq = LogHead.objects.get().seq
    (line,) = load_sample()
    assert line.startswith("sample: 0 events added, 0 versions added")
    assert LogHead.objects.get().seq == seq


def test_an_empty_record_takes_it_if_empty():
    load_sample("--if-empty")
    assert Event.objects.count() > 1


def test_a_record_that_holds_anything_does_not_take_it_if_empty():
    published()
    assert load_sample("--if-empty") == ["sample: not loaded, since the record is not empty"]
    assert Event.objects.count() == 1
