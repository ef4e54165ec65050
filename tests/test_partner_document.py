"""The vector that partners are given is what the code computes."""

import json
import re
from pathlib import Path

from events import documents

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
