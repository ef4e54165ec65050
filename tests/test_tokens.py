import pytest

from events import tokens


def words(text):
    return [token.word for token in tokens.tokens(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Vote", ["the", "vote"]),
        ("Nagorno–Karabakh's 1,000", ["nagorno", "karabakh", "s", "1", "000"]),
        ("snake_case", ["snake", "case"]),
        ("Łódź Malmö Ærø STRASSE Straße İstanbul", ["lodz", "malmo", "aero", "strasse", "strasse", "istanbul"]),
        ("e\u0301te\u0301 ＡＢＣ", ["ete", "abc"]),
        ("Αθήνα Ёлка", ["αθηνα", "елка"]),
        ("إِقليمٌ مكتبة کتاب تــل", ["اقليم", "مكتبه", "كتاب", "تل"]),
        ("הַסִּפְרִיָּה", ["הספריה"]),
        ("दिल्ली में", ["दिल्ली", "में"]),
        ("२०१७ ٢٠١٧", ["2017", "2017"]),
        ("می\u200cخواهم foo\u00adbar", ["ميخواهم", "foobar"]),
        ("½ №", ["1", "2", "no"]),
        ("€ 🙂 … ---", []),
        ("\ud800a\x00b", ["a", "b"]),
    ],
)
def test_words_are_folded(text, expected):
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("中国人", ["中国", "国人", "人"]),
        ("国", ["国"]),
        ("2016年3月", ["2016", "年", "3", "月"]),
        ("ｶﾞｷ ガキ", ["ガキ", "キ", "ガキ", "キ"]),
        ("서울시", ["서울", "울시", "시"]),
        ("ไทย", ["ไท", "ทย", "ย"]),
        ("新iPhone", ["新", "iphone"]),
    ],
)
def test_scripts_without_spaces_are_taken_in_pairs(text, expected):
    assert words(text) == expected


def test_token_knows_its_place():
    text = "In Łódź, 中国人 (e\u0301te\u0301)"
    assert [text[token.start : token.end] for token in tokens.tokens(text)] == [
        "In",
        "Łódź",
        "中国",
        "国人",
        "人",
        "e\u0301te\u0301",
    ]


def test_long_word_is_cut():
    assert words("x" * 500) == ["x" * tokens.LONGEST]
    assert words("é" * 500) == ["e" * tokens.LONGEST]


def test_stored_words_keep_texts_apart():
    assert tokens.words(["A vote.", "", "Two"]) == " a vote ¶ two "
    assert tokens.words([""]) == "  "
    assert words("¶") == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('See [the *plan*](https://a.example/x_(y) "z").', "See the plan."),
        ("[a][b] ![c](http://d.example)\n\n[b]: http://e.example", "a c"),
        ("[![in](http://i.example)](http://o.example) out", "in out"),
        ("[see [1]](http://o.example) more", "[see [1]] more"),
        ("# Head\n\n> quoted\n- one\n2. two", "Head\n\nquoted\none\ntwo"),
        ("**bold** _em_ `code` snake_case 2 \\* 3", "bold em code snake_case 2 * 3"),
        ("He said [sic] that.", "He said [sic] that."),
        ("[Smith]: said nothing", "[Smith]: said nothing"),
    ],
)
def test_running_text_is_what_a_reader_sees(body, expected):
    assert tokens.running_text(body).strip() == expected


@pytest.mark.parametrize(
    "piece", ["](", '[a](x "', "_a", "[", "](<", "](a(", "> ", "#", "*", "](http://x", "é", "中", "a\u0301\u0323", "ﷺ"]
)
def test_longest_body_is_no_more_than_its_characters(piece):
    """What a mark opens and nothing closes is read once, not again for each that follows: else this takes minutes."""
    body = (piece * 50_000)[:50_000]
    assert len(tokens.running_text(body)) <= len(body)
    assert len(tokens.words([tokens.running_text(body)]).split()) <= 4 * len(body)
