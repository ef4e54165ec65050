"""What partners are told: the vector is what the code computes, and each address answers as its row says."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from events import addresses, documents
from events.formats import as_xml
from tests.test_formats import API_ROOTS, JSON_SCHEMA, anchor
from tests.words import published, updated

TEXT = (Path(__file__).parents[1] / "docs" / "partner.md").read_text()
VECTOR, ENTRY = [json.loads(block) for block in re.findall(r"```json\n(.*?)\n```", TEXT, re.DOTALL)]
DIGEST, HASH = re.findall(r"^    ([0-9a-f]{64})$", TEXT, re.MULTILINE)
SALT = re.search(r"`([0-9a-f]{32})`", TEXT)[1]


def test_digest_of_the_vector():
    assert documents.commitment(SALT, VECTOR["document"], VECTOR["note"], VECTOR["slug"]) == DIGEST
    assert documents.read(VECTOR["document"], documents.SCHEMA)


def test_hash_of_the_entry():
    assert ENTRY["commitment"] == DIGEST
    assert documents.digest(ENTRY) == HASH


ROWS = [
    [re.findall(r"`([^`]+)`", cell) for cell in line.strip("|").split("|")]
    for line in TEXT.splitlines()
    if line.startswith("| `/")
]


@pytest.mark.django_db
def test_each_address_has_the_rows_and_the_element_that_are_told(client):
    event = published("Roads.", category="Traffic", story="Road", topics=["Road"])
    updated(event, kind="correction", note="A road.", headline="Road.")
    told = set()
    for paths, keys, roots in ROWS:
        shapes = [client.get(path).json() for path in map(_of_the_record, paths) if path.startswith("/")]
        assert all(any(key in shape for shape in shapes) for key in keys), paths
        elements = [root for root in roots if not root.startswith("#")]
        for path, element in zip(map(_of_the_record, paths), elements, strict=False):
            document = ElementTree.fromstring(client.get(path.replace(".json", ".xml")).content)
            assert document.tag == f"{{{as_xml.NAMESPACE}}}{element}"
            assert anchor(element) in roots or anchor(element) == f"#{element}"
        told.update(map(anchor, elements))
    assert told == {option["$ref"] for option in JSON_SCHEMA["anyOf"]} - API_ROOTS - {"#problem"}


def _of_the_record(path):
    """The same address for what this test has published."""
    path = path.replace("/topics/<slug>", "/topics/road").replace("/categories/<slug>", "/categories/traffic")
    return path.replace("<slug>.v", "road.v").replace("<slug>", "road")


@pytest.mark.django_db
def test_the_searches_that_are_given_as_examples_are_understood(client):
    published()
    queries = re.search(r"\*\*Searching\.\*\*(.*?)\n\n", TEXT, re.DOTALL)[1]
    examples = [text for text in re.findall(r"`([^`]+)`", queries) if not text.isidentifier()]
    assert len(examples) == 8
    for name in ("Iran", "Climate change"):
        published(topics=[name], category="Sports")
    for query in examples:
        assert client.get(addresses.search("json"), {"q": query}).json()["hints"] == []


@pytest.mark.django_db
def test_the_past_that_is_given_as_an_example_is_an_address(client):
    (path,) = re.findall(r"`(/as-of/[^`]+\.json)`", TEXT)
    assert client.get(path).status_code == 404
    assert addresses.has_past(path.removeprefix("/as-of/20180206T134930Z"))
