import hashlib
import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from events import documents

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def document(**values):
    return {
        "date": "2017-02-25",
        "headline": "A headline.",
        "body": "",
        "category": None,
        "story": None,
        "topics": [],
        "sources": [],
        "language": "en",
        "origin": None,
        **values,
    }


def topic(name):
    return documents.topic_value(name.lower(), name, name.lower())


@given(
    st.fixed_dictionaries(
        {
            "headline": TEXT,
            "body": TEXT,
            "origin": st.none(),
            "sources": st.lists(st.fixed_dictionaries({"name": TEXT})),
        }
    )
)
def test_canonical_json_is_that_of_rfc_8785(value):
    assert documents.canonical(value) == rfc8785.dumps(value)


def test_commitment_is_reproducible_by_hand():
    """The salt's bytes, then the canonical JSON of document, note and slug: nothing else is needed to check it."""
    salt = "00112233445566778899aabbccddeeff"
    text = json.dumps(
        {"document": document(), "note": "é", "slug": "a"}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    expected = hashlib.sha256(bytes.fromhex(salt) + text.encode()).hexdigest()
    assert documents.commitment(salt, document(), "é", "a") == expected


def test_document_of_an_unknown_shape_is_refused():
    assert documents.read(document(), 1) == document()
    for wrong, schema in ((document(), 2), (document(extra=1), 1), ({}, 1), (None, 1)):
        with pytest.raises(documents.UnknownSchema):
            documents.read(wrong, schema)


def test_topics_are_sorted_by_key_without_doubles_and_hold_the_story():
    parts = document(date=_Date, story=topic("Story"), topics=[topic("b"), topic("A"), topic("B")])
    names = [value["name"] for value in documents.document(**parts)["topics"]]
    assert names == ["A", "B", "Story"]


class _Date:
    @staticmethod
    def isoformat():
        return "2017-02-25"


def test_order_of_topics_and_merged_names_do_not_make_documents_differ():
    one = document(topics=[topic("a"), topic("b")])
    assert documents.same(one, document(topics=[topic("b"), topic("a")]))
    assert not documents.same(one, document(topics=[topic("a"), topic("c")]))
    assert documents.same(one, document(topics=[topic("a"), topic("c")]), resolve={"a": 1, "b": 2, "c": 2}.get)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Police said that a bomb exploded.", "Police say a bomb exploded."),
        ("The minister resigns", "A minister resigns."),
        ("A strong quake hits Chile.", "A powerful quake hits Chile."),
        ("Voters go to the polls , today.", "Voters go to the polls today."),
        ("地震 发生。", "地震发生"),
        ("Talks end. The minister leaves.", "Talks end. A minister leaves."),
        ("- The vote\n- A speech", "- A vote\n- The speech"),
        ("Talks end\n\nThe minister leaves.", "Talks end\n\nA minister leaves."),
        ("Выборы прошли спокойно.", "Выборы проходят спокойно."),
    ],
)
def test_wording_and_punctuation_are_minor(before, after):
    assert documents.changed_facts(document(headline=before), document(headline=after)) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Police said 12 died.", "Police said 21 died."),
        ("Police said twelve died.", "Police said eleven died."),
        ("The vote is on 3 May.", "The vote is on 4 May."),
        ("The army said it attacked.", "The army said it never attacked."),
        ("The army did attack.", "The army didn't attack."),
        ("Troops enter Mosul.", "Troops enter Raqqa."),
        ("Talks in Geneva with Iran.", "Talks in Iran with Geneva."),
        ("It rose 1.5 per cent.", "It rose 15 per cent."),
        ("地震发生", "地震没发生"),
        ("20人死亡", "30人死亡"),
        ("مقتل عشرة", "مقتل عشرين"),
        ("[more](https://a.example/x)", "[more](https://b.example/x)"),
        ("He did _not_ resign.", "He did resign."),
        ("They meet in _Paris_.", "They meet in _London_."),
        ("It was said by Mr. Smith.", "It was said by Mr. Jones."),
        ("The U.S. Senate votes.", "The U.S. Army votes."),
        ("It was told by @Bob.", "It was told by @Alice."),
        ("It costs €five.", "It costs €nine."),
        ("It costs a £ note.", "It costs a $ note."),
        ("Bashar al-Assad speaks.", "Bashar al-Hariri speaks."),
        ("Says d’Estaing today.", "Says d’Alema today."),
        ("NATO meets.", "ASEAN meets."),
        ("यह की बात", "यह का बात"),
        ("It grew by ½.", "It grew by ¼."),
    ],
)
@pytest.mark.parametrize("field", ["headline", "body"])
def test_figures_names_and_negations_are_facts(field, before, after):
    assert documents.changed_facts(document(**{field: before}), document(**{field: after})) == [field]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("date", "2017-02-26"),
        ("category", {"name": "Sports", "slug": "sports"}),
        ("story", topic("Brexit")),
        ("topics", [topic("Brexit")]),
        ("sources", [{"name": "BBC", "url": "https://bbc.example/"}]),
        ("language", "fr"),
        ("origin", {"name": "x", "url": "https://x.example/", "licence": ""}),
    ],
)
def test_everything_but_the_wording_is_a_fact(field, value):
    assert documents.changed_facts(document(), document(**{field: value})) == [field]
