import pytest

from events import slugs


@pytest.mark.parametrize(
    ("headline", "slug"),
    [
        ("The euro is introduced.", "the-euro-is-introduced"),
        ("François Hollande visits Kraków", "francois-hollande-visits-krakow"),
        ("Łódź, Ærø & Straße", "lodz-aero-strasse"),
        ("İstanbul", "istanbul"),
        ("日本で地震", "日本で地震"),
        ("Выборы в Йошкар-Оле", "выборы-в-йошкар-оле"),
        ("हिन्दी", "हिन्दी"),
        ("انتخابات في مصر", "انتخابات-في-مصر"),
        ("v1.2 of A.B.C.", "v12-of-abc"),
        ("  --  ", "event"),
        ("!!!", "event"),
        ("", "event"),
    ],
)
def test_slug_of_a_headline(headline, slug):
    assert slugs.headline_slug(headline) == slug


def test_headline_is_cut_before_it_is_made_into_a_slug():
    """Punctuation within the first 140 characters shortens the slug instead of letting more text in."""
    assert slugs.headline_slug("." * 139 + "abc") == "a"


@pytest.mark.parametrize("letter", ["\ufb2c", "\ufdfa", "ß", "a"])
def test_slug_is_bounded_whatever_a_letter_is_made_of(letter):
    assert len(slugs.headline_slug(letter * 140)) <= len(slugs.slugify(letter * 900)) == slugs.LONGEST


def test_taken_slug_is_followed_by_numbers_and_index_is_reserved():
    tries = slugs.numbered("vote")
    assert [next(tries) for _ in range(3)] == ["vote", "vote-2", "vote-3"]
    assert next(slugs.numbered("index")) == "index-2"


@pytest.mark.parametrize(
    ("slug", "base", "is_numbered"),
    [
        ("vote", "vote", True),
        ("vote-2", "vote", True),
        ("vote-10", "vote", True),
        ("vote-1", "vote", False),
        ("vote-02", "vote", False),
        ("voter", "vote", False),
        ("vote-in", "vote", False),
        ("index", "index", False),
    ],
)
def test_numbered_slugs_are_told_from_others(slug, base, is_numbered):
    assert slugs.is_numbered(slug, base) is is_numbered


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Cassini–Huygens", "Cassini-Huygens"),
        ("ÉLECTIONS", "élections"),
        ("e\u0301lections", "\u00e9lections"),
        ("Straße", "STRASSE"),
        ("New  York ", "New York"),
        ("ＡＢＣ", "abc"),
        ("U.S.–China \u2212 talks", "u.s.-china - talks"),
    ],
)
def test_spellings_that_readers_do_not_tell_apart_fold_to_one_key(one, other):
    assert slugs.fold(one) == slugs.fold(other)


def test_folding_is_idempotent_and_keeps_what_differs():
    assert slugs.fold(slugs.fold("Ǆ Ⅳ ﬁ")) == slugs.fold("Ǆ Ⅳ ﬁ")
    assert slugs.fold("C++") != slugs.fold("C#")
    assert slugs.fold("Élections") != slugs.fold("Elections")


def test_direction_controls_are_found_and_stripped():
    assert slugs.has_bidi_controls("a\u202eb")
    assert slugs.strip_bidi_controls("a\u202eb\u2066c\u061c") == "abc"
    assert not slugs.has_bidi_controls("انتخابات")
