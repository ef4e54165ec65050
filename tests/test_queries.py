import datetime

import pytest

from events import queries
from events.queries import Term, narrowed, parse


@pytest.mark.parametrize(
    ("typed", "terms"),
    [
        ("iran vote", [Term(("iran",)), Term(("vote",))]),
        ('"prime minister" resigns', [Term(("prime", "minister")), Term(("resigns",))]),
        ("elect*", [Term(("elect",), True)]),
        ('"early elect"* "early elect*"', [Term(("early", "elect"), True)]),
        ("Nagorno-Karabakh Iran's", [Term(("nagorno", "karabakh")), Term(("iran", "s"))]),
        ("中国人", [Term(("中国", "国人"))]),
        ("国", [Term(("国",), True)]),
        ("中国2016", [Term(("中国", "国", "2016"))]),
        ("“second vote” 「北京」", [Term(("second", "vote")), Term(("北京",))]),
        ("vote vote VOTE", [Term(("vote",))]),
        ("AND OR NOT -vote", [Term(("and",)), Term(("or",)), Term(("not",)), Term(("vote",))]),
        ("http://x.example/topic:a", [Term(("http", "x", "example", "topic", "a"))]),
    ],
)
def test_words_and_phrases(typed, terms):
    query = parse(typed)
    assert list(query.terms) == terms
    assert query.hints == ()


def test_filters():
    query = parse('vote topic:Iran TOPIC:"Climate change" Category:sports after:2017-02 before: 2017-03-05')
    assert query.terms == (Term(("vote",)),)
    assert query.topics == ("Iran", "Climate change")
    assert query.categories == ("sports",)
    assert (query.after, query.before) == (datetime.date(2017, 2, 1), datetime.date(2017, 3, 5))
    assert query.text == "vote"


@pytest.mark.parametrize(
    ("typed", "after", "before"),
    [
        ("after:2016", "2016-01-01", None),
        ("before:2016", None, "2016-12-31"),
        ("before:2016-02", None, "2016-02-29"),
        ("after:2016/2/3 before:2016.02.05", "2016-02-03", "2016-02-05"),
        ("after:2015 after:2016 before:2018 before:2017", "2016-01-01", "2017-12-31"),
    ],
)
def test_dates_are_a_year_a_month_or_a_day_and_included(typed, after, before):
    query = parse(typed)
    assert (query.after and query.after.isoformat(), query.before and query.before.isoformat()) == (after, before)


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ('"unclosed vote', "not closed"),
        ("*", "Put at least one letter before it"),
        ("topic:", "Write after “topic:”"),
        ('category:""', "Write after “category:”"),
        ("topic: before:2017", "Write after “topic:”"),
        ("after:yesterday", "“yesterday” is no date"),
        ("before:2017-02-30", "“2017-02-30” is no date"),
        ("after:2018 before:2017", "No day is both"),
        ("€ !!!", "no word in this"),
        ("\x00", "no word in this"),
        ("\ud800", "no word in this"),
        ("a" * 1_000_000, "first 500 characters"),
        (" ".join(f"w{number}" for number in range(20)), "Only 12 words"),
        ("中" * 300, "Only 12 words"),
        (" ".join(["topic:a"] * 9), "first 8 filters"),
    ],
)
def test_what_is_unclear_gets_a_hint(typed, hint):
    assert any(hint in said for said in parse(typed).hints), parse(typed).hints


def test_nothing_typed_is_no_query():
    assert parse("") == queries.Query()
    assert not parse("").is_usable


def test_long_queries_stay_small():
    query = parse("中" * 400 + " " + " ".join(f"w{number}" for number in range(90)))
    assert sum(len(term.words) for term in query.terms) <= queries.MOST_TOKENS
    assert len(query.terms) <= queries.MOST_TERMS
    assert len(query.typed) <= queries.LONGEST


@pytest.mark.parametrize(
    ("typed", "filters", "expected"),
    [
        ("vote", {"after": "2017", "before": "2017"}, "vote after:2017 before:2017"),
        ("vote after:2016 topic:Iran", {"after": "2017", "before": "2017"}, "vote topic:Iran after:2017 before:2017"),
        ("vote category:a", {"category": "law-and-crime"}, "vote category:law-and-crime"),
        ('"unclosed vote', {"category": "law"}, '"unclosed vote" category:law'),
        ('"early elect"* topic:"A b"', {"after": "2017"}, '"early elect"* topic:"A b" after:2017'),
        ("vote " * 100, {"after": "2017", "before": "2017"}, "vote after:2017 before:2017"),
        ("topic:a " * 8, {"category": "law"}, "topic:a category:law"),
    ],
)
def test_narrowed_query_can_be_typed(typed, filters, expected):
    assert narrowed(parse(typed), **filters) == expected
    assert narrowed(parse(expected), **filters) == expected


def test_narrowed_query_is_never_longer_than_what_is_read():
    typed = " ".join([*(f"topic:t{number}" for number in range(8)), *(f"word{number:05}" for number in range(42))])
    query = parse(narrowed(parse(typed), after="2017", before="2017"))
    assert not any("first" in hint for hint in query.hints)
    assert len(query.topics) == queries.MOST_FILTERS - 2
    assert (query.after, query.before) == (datetime.date(2017, 1, 1), datetime.date(2017, 12, 31))
    assert query.terms == parse(typed).terms


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("vote", "vote after:2017 before:2017"),
        ("vote after:2016", "vote after:2017 before:2017"),
        ("vote after:2017-05", "vote after:2017-05-01 before:2017-12-31"),
        ("vote before:2018 after:2017-05 before:2017-06", "vote after:2017-05-01 before:2017-06-30"),
    ],
)
def test_year_is_cut_where_the_days_asked_for_end(typed, expected):
    assert queries.narrowed_to_year(parse(typed), 2017) == expected
