import random
import re
from html.parser import HTMLParser

import pytest
from django.template import loader
from hypothesis import given
from hypothesis import strategies as st

from bench.diffs import HOSTILE
from events import diffs, documents
from events.diffs import Piece

TEXT = st.text(st.sampled_from("aab .\n\r日本ก ำ"), max_size=60) | st.text(max_size=60)
WORDS = st.lists(st.text(st.sampled_from("abé日ก-"), min_size=1, max_size=5), min_size=1, max_size=30)
OPPOSITE = {"same": "same", "removed": "added", "added": "removed"}


def document(**values):
    values = {
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
    return values | {"topics": sorted([*values["topics"], *filter(None, [values["story"]])], key=lambda t: t["key"])}


def topic(name):
    return documents.topic_value(name.lower(), name, name.lower())


def topics(*names):
    return [topic(name) for name in names]


def sources(*pairs):
    return [{"name": name, "url": f"https://example.org/{path}"} for name, path in pairs]


def only(old, new, **options):
    """The one change between two documents."""
    (change,) = diffs.compare(old, new, **options)
    return change


def text(pieces, *ops):
    return "".join(piece.text for piece in pieces if piece.op in ops)


def changed(pieces):
    return [tuple(piece[:2]) for piece in pieces if piece.op != "same"]


def swapped(pieces):
    """The pieces of the opposite comparison: what was removed is added, and still stands before what was added."""
    turned = [Piece(OPPOSITE[piece.op], piece.text) for piece in pieces]
    for place in range(1, len(turned)):
        if (turned[place - 1].op, turned[place].op) == ("added", "removed"):
            turned[place - 1 : place + 1] = turned[place], turned[place - 1]
    return turned


def test_words_that_changed_are_told_from_those_that_stayed():
    assert diffs.words("At least 40 people die.", "At least 42 people die today.") == [
        Piece("same", "At least "),
        Piece("removed", "40 "),
        Piece("added", "42 "),
        Piece("same", "people "),
        Piece("removed", "die."),
        Piece("added", "die today."),
    ]


def test_scripts_without_spaces_are_compared_by_letter():
    assert changed(diffs.words("北京市今天下雨", "北京市明天下雨")) == [("removed", "今"), ("added", "明")]
    assert changed(diffs.words("ประชุมสภา", "ประชุมสภาที่")) == [("added", "ที่")]
    assert changed(diffs.words("ที", "ที่")) == [("removed", "ที"), ("added", "ที่")], "a mark stays with its letter"


def test_a_new_line_break_is_the_only_change():
    assert changed(diffs.words("One.\nTwo.", "One.\n\nTwo.")) == [("added", "\n")]


@given(TEXT, TEXT)
def test_both_texts_can_be_read_from_the_pieces(old, new):
    pieces = diffs.words(old, new)
    assert text(pieces, "same", "removed") == old
    assert text(pieces, "same", "added") == new


@given(TEXT)
def test_equal_texts_have_no_change(same):
    assert diffs.words(same, same) == ([Piece("same", same)] if same else [])


@given(TEXT, TEXT)
def test_the_way_back_is_the_same_difference(old, new):
    assert diffs.words(new, old) == swapped(diffs.words(old, new))


@given(WORDS, st.data())
def test_a_character_less_is_one_word_changed(written, data):
    """The word is replaced by what is left of it, or removed; a letter of a script without spaces is a word."""
    old = " ".join(written)
    place = data.draw(st.sampled_from([place for place, char in enumerate(old) if char != " "]))
    pieces = diffs.words(old, old[:place] + old[place + 1 :])
    assert text(pieces, "removed").strip().count(" ") == 0
    assert [op for op, _text in changed(pieces)] in (["removed"], ["removed", "added"])


@given(st.text(st.sampled_from("abc \n"), min_size=1, max_size=60), st.data())
def test_a_character_less_changes_at_most_the_words_that_it_touched(old, data):
    place = data.draw(st.integers(0, len(old) - 1))
    pieces = diffs.words(old, old[:place] + old[place + 1 :])
    assert [op for op, _text in changed(pieces)] in (["removed"], ["removed", "added"])
    assert len(text(pieces, "removed").split()) <= (1 if old[place].strip() else 2)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_are_compared_whole(name):
    old, new = HOSTILE[name]
    pieces = diffs.words(old, new)
    assert text(pieces, "same", "removed") == old
    assert text(pieces, "same", "added") == new
    assert diffs.words(new, old) == swapped(pieces)


def paragraphs(count):
    """Texts of 120 words each, of which a few are common and most are rare."""
    words = [f"word{rank}" for rank in range(1, 2000)]
    weights = [1 / rank for rank in range(1, 2000)]
    return [" ".join(random.Random(number).choices(words, weights, k=120)) + "." for number in range(count)]


def test_a_long_body_with_changes_at_both_ends_is_still_compared_by_words():
    old = "\n\n".join(["Opening words.", *paragraphs(50), "Closing words."])
    new = old.replace("Opening", "First").replace("Closing", "Last")
    assert 30_000 < len(old) <= 50_000
    assert changed(diffs.words(old, new)) == [
        ("removed", "Opening "),
        ("added", "First "),
        ("removed", "Closing "),
        ("added", "Last "),
    ]


def test_a_long_body_of_which_every_sentence_changed_is_still_compared_by_words():
    old = "\n\n".join(paragraphs(60))
    for every in (3, 11):
        new = " ".join(word if number % every else "new" for number, word in enumerate(old.split(" ")))
        pieces = diffs.words(old, new)
        assert len(text(pieces, "same")) > len(old) * (1 - 1 / every) * 0.95
        assert (text(pieces, "same", "removed"), text(pieces, "same", "added")) == (old, new)


def test_a_long_body_of_one_sentence_in_which_every_word_is_rare_is_still_compared_by_words():
    written = [f"word{number}" for number in range(5_500)]
    old, new = (" ".join(words) for words in (written, [w if n % 3 else "new" for n, w in enumerate(written)]))
    removed = [piece.text.strip() for piece in diffs.words(old, new) if piece.op == "removed"]
    assert removed == written[::3]


def test_a_long_body_of_few_letters_is_compared_by_letter_where_a_sentence_changed():
    letters = random.Random(1).choices([chr(0x4E00 + number) for number in range(80)], k=20_000)
    sentences = ["".join(letters[start : start + 40]) + "。" for start in range(0, 20_000, 40)]
    changes = {10: "甲", 250: "乙", 490: "丙"}
    new = "".join(changes.get(number, "") + sentence for number, sentence in enumerate(sentences))
    assert changed(diffs.words("".join(sentences), new)) == [("added", letter) for letter in changes.values()]


def test_an_excerpt_keeps_what_stands_around_changes():
    long = "word " * 200
    pieces = diffs.excerpt([Piece("same", long), Piece("added", "new "), Piece("same", long), Piece("removed", "old")])
    assert [(piece.op, len(piece.text), piece.omitted) for piece in pieces] == [
        ("gap", 0, 800),
        ("same", 200, 0),
        ("added", 4, 0),
        ("same", 200, 0),
        ("gap", 0, 600),
        ("same", 200, 0),
        ("removed", 3, 0),
    ]
    assert diffs.excerpt([Piece("added", "new "), Piece("same", "word " * 80)])[1:] == [Piece("same", "word " * 80)]


@given(
    st.lists(st.builds(Piece, st.sampled_from(["same", "added"]), st.text("a ", max_size=90), st.just(0)), max_size=5)
)
def test_an_excerpt_leaves_out_only_what_it_counts(pieces):
    shown = diffs.excerpt(pieces, around=10)
    assert sum(len(piece.text) + piece.omitted for piece in shown) == sum(len(piece.text) for piece in pieces)
    assert text(shown, "added") == text(pieces, "added")


def test_documents_that_say_the_same_have_no_change():
    assert diffs.compare(document(), document()) == []


def test_changes_stand_in_the_order_of_reading():
    new = document(
        date="2017-02-26",
        category=documents.category_value("Sport", "sport"),
        story=topic("Cup"),
        headline="Another.",
        body="Text.",
        sources=sources(("BBC", "a")),
        language="fr",
        origin={"name": "Wikinews", "url": "https://example.org/", "licence": "CC BY"},
    )
    changes = diffs.compare(document(), new)
    assert [change.field for change in changes] == [
        "date",
        "category",
        "story",
        "headline",
        "body",
        "topics",
        "sources",
        "language",
        "origin",
    ]
    values = {change.field: (change.before, change.after) for change in changes if change.kind == "value"}
    assert values == {
        "date": ("2017-02-25", "2017-02-26"),
        "category": ("", "Sport"),
        "story": ("", "Cup"),
        "language": ("en", "fr"),
        "origin": ("", "Wikinews, https://example.org/, CC BY"),
    }


def test_topics_are_sorted_as_readers_see_them():
    old, new = document(topics=topics("Élan", "b", "Kept")), document(topics=topics("Kept", "ärger", "Zoo", "also"))
    change = only(old, new)
    assert (change.removed, change.added, change.kept) == (["b", "Élan"], ["also", "Zoo", "ärger"], ["Kept"])


def test_a_topic_that_was_renamed_or_merged_is_no_change():
    old, new = document(story=topic("Burma")), document(story=topic("Myanmar"))
    assert diffs.compare(old, new, resolve={"burma": 1, "myanmar": 1}.get) == []
    old, new = document(topics=topics("Burma")), document(topics=topics("Myanmar", "ASEAN"))
    change = only(old, new, resolve={"burma": 1, "myanmar": 1, "asean": 2}.get)
    assert (change.removed, change.added, change.kept) == ([], ["ASEAN"], ["Myanmar"])


def states(old, new):
    return [(row.state, row.number, row.old_number) for row in diffs.compare(document(sources=old), new)[0].rows]


def test_sources_added_and_removed():
    old, new = sources(("A", "a"), ("B", "b")), document(sources=sources(("C", "c"), ("B", "b")))
    assert states(old, new) == [("added", 1, None), ("same", 2, 2), ("removed", None, 1)]


def test_a_source_is_known_by_its_url_and_else_by_its_name():
    old = document(sources=sources(("A", "a"), ("B", "b")))
    new = document(sources=sources(("B", "a"), ("B", "c")))
    renamed, readdressed = only(old, new).rows
    assert renamed == diffs.Row("changed", "B", "https://example.org/a", 1, 1, old_name="A")
    assert readdressed == diffs.Row("changed", "B", "https://example.org/c", 2, 2, old_url="https://example.org/b")


def test_only_the_source_that_was_moved_says_so():
    old = sources(*((name, name) for name in "abcd"))
    new = document(sources=sources(*((name, name) for name in "dabc")))
    assert states(old, new) == [("moved", 1, 4), ("same", 2, 1), ("same", 3, 2), ("same", 4, 3)]


def test_a_source_that_is_cited_twice_is_matched_twice():
    old = sources(("A", "a"), ("B", "a"), ("A", "a"), ("C", "c"))
    new = document(sources=sources(("B", "a"), ("A", "a"), ("C", "c")))
    assert sorted(state for state, _number, _old in states(old, new)) == ["moved", "removed", "same", "same"]


def said(old, new):
    return diffs.summary(diffs.compare(document(**old), document(**new)))


class TestSummary:
    def test_it_is_one_sentence_with_the_texts_first(self):
        old = {
            "body": "At least 40 people die here.",
            "topics": topics("Armenia"),
            "sources": sources(("A", "a"), ("B", "b")),
            "category": documents.category_value("Asia", "asia"),
        }
        new = {
            "body": "At least 42 people die.",
            "headline": "Another headline.",
            "sources": sources(("A", "a"), ("B", "b"), ("C", "c")),
            "category": documents.category_value("World", "world"),
        }
        assert said(old, new) == (
            "2 words replaced, 1 word removed in the body; 1 word replaced in the headline; source 3 added; "
            "topic Armenia removed; category changed from Asia to World."
        )

    def test_no_difference_is_said(self):
        assert diffs.summary([]) == "No difference."

    @pytest.mark.parametrize(
        ("old", "new", "sentence"),
        [
            ("", "Some words.", "Body added."),
            ("Some words.", "", "Body removed."),
            ("Some words.", "Some more words.", "1 word added in the body."),
            ("Some more words.", "Some words.", "1 word removed in the body."),
            ("Some words.", "Some words. More.", "1 word added in the body."),
            ("Some words.", "Other text here.", "2 words replaced, 1 word added in the body."),
            ("One line.", "One line.\n\n", "Spaces or punctuation changed in the body."),
            ("One line", "One – line", "Spaces or punctuation changed in the body."),
            ("", "…", "Body changed."),
            ("word " * 1200, "other " * 1200 + "and", "1,200 words replaced, 1 word added in the body."),
        ],
    )
    def test_words_are_counted(self, old, new, sentence):
        assert said({"body": old}, {"body": new}) == sentence

    def test_characters_are_counted_in_scripts_without_spaces(self):
        assert said({"body": "北京市今天下雨。"}, {"body": "北京市明日下雨"}) == "2 characters replaced in the body."
        assert said({"body": "北京市今天下雨"}, {"body": "北京市今天下雨 BBC"}) == "1 word added in the body."

    def test_sources_are_told_by_their_numbers(self):
        old = sources(*((name, name) for name in "abcd"))
        assert said({"sources": old}, {"sources": [old[3], *old[:2]]}) == "Source 3 removed; source 1 moved."
        new = [{**old[0], "name": "A"}, *old[1:], *sources(("e", "e"))]
        assert said({"sources": old}, {"sources": new}) == "Source 5 added; source 1 changed."
        assert said({}, {"sources": old[:2]}) == "Sources 1 and 2 added."

    def test_many_are_only_counted(self):
        names = ["Rome", "Oslo", "Bonn"]
        assert said({}, {"topics": topics(*names)}) == "Topics Bonn, Oslo and Rome added."
        assert said({"topics": topics(*names, "Bern")}, {}) == "4 topics removed."
        assert said({}, {"topics": topics("An endless name " * 8)}) == "1 topic added."
        assert said({}, {"sources": sources(*((name, name) for name in "abcd"))}) == "4 sources added."

    def test_values_are_named_while_they_are_few_and_short(self):
        asia = {"category": documents.category_value("Asia", "asia")}
        assert said({}, asia | {"date": "2017-02-26"}) == (
            "Date changed from 2017-02-25 to 2017-02-26; category Asia added."
        )
        assert said(asia, {}) == "Category Asia removed."
        assert said(asia, {"date": "2017-02-26", "language": "fr"}) == "Date, category and language changed."
        origin = {"name": "Wikinews", "url": "https://example.org/" + "a" * 80, "licence": "CC BY"}
        assert said({}, {"origin": origin}) == "Origin added."
        assert said({"story": topic("U.S.")}, {"topics": topics("U.S.")}) == "Story U.S. removed."

    @given(st.lists(st.text(st.sampled_from("abé"), min_size=1, max_size=5), min_size=2, max_size=30), st.data())
    def test_a_letter_less_is_one_word(self, written, data):
        old = " ".join(written)
        place = data.draw(st.sampled_from([place for place, char in enumerate(old) if char != " "]))
        sentence = said({"body": old}, {"body": old[:place] + old[place + 1 :]})
        assert sentence in ("1 word replaced in the body.", "1 word removed in the body.")

    @given(TEXT, TEXT)
    def test_the_way_back_swaps_added_and_removed(self, old, new):
        there, back = said({"body": old}, {"body": new}), said({"body": new}, {"body": old})
        assert counted(there) == {(OPPOSITE.get(state, state), number) for state, number in counted(back)}


def counted(sentence):
    """{(state, number and unit)}, of the first part of a sentence."""
    return {(state, number) for number, state in re.findall(r"(\d+ \w+?)s? (replaced|added|removed)", sentence)}


class Markup(HTMLParser):
    """The start tags of a page, and its text."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def shown(old, new):
    return Markup(loader.render_to_string("comparison.html", {"changes": diffs.compare(old, new)}))


def test_no_difference_is_said():
    assert shown(document(), document()).text.strip() == "No difference."


def test_changes_are_named_in_words_and_marked_up_as_such():
    page = shown(document(body="One\ntwo."), document(body="One\nthree."))
    assert "removed: two.added: three." in page.text
    assert "One\n" in page.text
    assert [tag for tag, _attrs in page.tags] == ["div", "section", "h3", "p", "del", "span", "ins", "span"]
    assert page.tags[3][1] == {"class": "diff", "dir": "auto"}
    assert all(attrs["dir"] == "ltr" for tag, attrs in page.tags if tag == "span"), "a label is no part of the text"


def test_a_change_of_blank_text_can_be_seen():
    assert "added: [space or line break]\n" in shown(document(body="a\nb"), document(body="a\n\nb")).text


def test_what_is_left_out_is_counted():
    page = shown(document(body="word " * 100 + "a"), document(body="word " * 100))
    assert "… 300 unchanged characters …" in page.text


def test_topics_and_sources_are_lists():
    old = document(date="2017-02-25", topics=topics("a", "b"), sources=sources(("A", "a"), ("B", "b"), ("C", "c")))
    new = document(date="2017-02-26", topics=topics("b", "c"), sources=sources(("C", "c"), ("E", "a"), ("B", "b")))
    page = shown(old, new)
    words = " ".join(page.text.split())
    assert "Date removed: 2017-02-25 added: 2017-02-26" in words
    assert "Topics removed: a added: c b" in words
    assert "removed: A added: E https://example.org/a" in words
    assert "(was number 3)" in words
    assert [attrs["datetime"] for tag, attrs in page.tags if tag == "time"] == ["2017-02-25", "2017-02-26"]


EVIL = "<img src=x onerror=alert(1)>"


def test_markup_split_by_a_change_stays_text():
    for old, new in [("<img alt=a onerror=alert(1)>", EVIL), ("<img ", EVIL), ("a", EVIL), (EVIL, "onerror=alert(1)>")]:
        page = shown(document(headline=old, body=old), document(headline=new, body=new))
        assert not {tag for tag, _attrs in page.tags} & {"img", "script"}
        assert all("onerror" not in attrs for _tag, attrs in page.tags)


def test_markup_in_values_and_names_stays_text():
    evil = {"name": EVIL, "url": EVIL, "licence": EVIL}
    new = document(
        category=documents.category_value(EVIL, "a"),
        story=topic(EVIL),
        topics=topics(EVIL + "a"),
        sources=[*sources((EVIL, "a")), {"name": "B", "url": EVIL}, {"name": EVIL, "url": EVIL}],
        language=EVIL,
        date=EVIL,
        origin=evil,
    )
    old = document(sources=sources(("A", "a"), ("B", "b")))
    for page in (shown(old, new), shown(new, old)):
        assert "img" not in {tag for tag, _attrs in page.tags}
        assert page.text.count(EVIL) >= 8
