import pytest

from events import texts


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/a",
        "http://a_b.example.org/x%2Fy?q=1#z",
        "https://例え.jp/",
        "http://[2001:db8::1]:8080/",
        "HTTPS://EXAMPLE.ORG",
        "https://example.org/" + "a" * 1_980,
    ],
)
def test_web_addresses_are_sources(url):
    assert texts.url_problem(url) is None


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("javascript:alert(1)", "http"),
        ("JaVa\tScript:alert(1)", "Remove"),
        ("ftp://example.org/", "http"),
        ("//evil.example", "http"),
        ("https:evil", "host"),
        ("https:///path", "host"),
        ("http://user@evil.example/", "user name"),
        ("http://user:pass@evil.example/", "user name"),
        ("http://exa mple.org/", "Remove"),
        ("http://example.org/\x00", "Remove"),
        ("http://example.org:port/", "cannot be read"),
        ("http://[::1/", "cannot be read"),
        ("http://./", "host"),
        ("http://example.org\\@evil.example/", "host"),
        ("https://example.org/" + "a" * 2_000, "Shorten"),
        ("", "http"),
    ],
)
def test_refused_url_says_what_to_do(url, advice):
    assert advice in texts.url_problem(url)


@pytest.mark.parametrize("char", ["\x00", "\x08", "\x0b", "\x1f", "\x7f", "\ud800", "\udfff", "\ufffe", "\uffff"])
def test_characters_that_xml_or_utf8_cannot_carry_are_refused(char):
    problem = texts.text_problem(f"ab{char}", 10)
    assert f"U+{ord(char):04X} at position 3" in problem


def test_line_breaks_belong_in_bodies_only():
    assert texts.text_problem("a\n\tb\r\n", 10) is None
    assert texts.headline_problem("a\nb")
    assert texts.name_problem("a\u2028b")


@pytest.mark.parametrize(("length", "fits"), [(2_000, True), (2_001, False)])
def test_headline_is_bounded(length, fits):
    assert (texts.headline_problem("a" * length) is None) is fits


def test_name_whose_key_would_be_too_long_is_refused():
    assert texts.name_problem("\ufdfa" * 66) is None
    assert "Shorten" in texts.name_problem("\ufdfa" * 67)


def test_blank_headline_and_name_are_refused():
    assert texts.headline_problem(" \u00a0") == "Write a headline."
    assert texts.name_problem("") == "Give a name."


@pytest.mark.parametrize("language", ["en", "pt-BR", "zh-Hant-TW"])
def test_language_tags_are_accepted(language):
    assert texts.language_problem(language) is None


@pytest.mark.parametrize("language", ["", "e", "english language", "en_US", "en\n", "a" * 40])
def test_other_language_names_are_refused(language):
    assert texts.language_problem(language)


def test_origin_is_whole_or_absent():
    whole = {"name": "Agency", "url": "https://agency.example/", "licence": "CC BY-SA 3.0"}
    assert texts.origin_problem(None) is None
    assert texts.origin_problem(whole) is None
    for wrong in (
        "Agency",
        {"name": "Agency"},
        whole | {"url": "agency"},
        whole | {"licence": None},
        whole | {"x": ""},
    ):
        assert texts.origin_problem(wrong)
