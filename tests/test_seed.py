"""The page that everything started from: imported as a file, asked for as an address."""

import re

import pytest

from tests.conftest import SHARED
from tests.histories import Loaded

pytestmark = [pytest.mark.shared, pytest.mark.django_db]

EVENT = (
    "/news/2017/02/25/clashes-erupt-between-nagorno-karabakh-separatists-and-azerbaijani-forces-in-the-disputed-"
    "nagorno-karabakh-region-the-azerbaijan-ministry-o"
)
FIRST = (
    "/news/2017/02/25/nagorno-karabakh-conflict-clashes-erupt-between-nagorno-karabakh-separatists-and-azerbaijani-"
    "forces-in-the-disputed-nagorno-karabakh-region"
)


@pytest.fixture(autouse=True)
def record(db):
    assert Loaded(SHARED / "seed" / "events.jsonl").problems == []


def lines(text):
    """Without trailing spaces, blank lines folded into one, every ordinal 1."""
    text = re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)
    return re.sub(r"^[0-9]+\. ", "1. ", re.sub(r"\n{3,}", "\n\n", text), flags=re.MULTILINE).strip()


def test_the_page_is_the_seed_line_for_line(client):
    page = client.get(f"{EVENT}.md").content.decode()
    assert lines(page) == lines((SHARED / "seed" / "page.md").read_text())


def test_the_slug_of_the_first_version_answers_with_it(client):
    shape = client.get(f"{FIRST}.json").json()
    assert (shape["version"], shape["status"]) == (1, "superseded")
    assert shape["headline"].startswith("Nagorno-Karabakh conflict: Clashes erupt")
    assert client.get(FIRST)["Location"] == EVENT
