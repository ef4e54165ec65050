from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from events import documents, merging

BASE = {
    "date": "2017-02-25",
    "headline": "A headline.",
    "body": "",
    "category": None,
    "story": None,
    "topics": [],
    "sources": [],
    "language": "en",
    "origin": None,
}
ORIGIN = {"name": "Wikinews", "url": "https://example.org/", "licence": "CC BY"}


def topic(name):
    return documents.topic_value(name.lower(), name, name.lower())


def document(*names, story=None, sources="", **values):
    """A document with these topics; `sources` are words, "Aa" being a source named A at the address a."""
    held = {name: topic(name) for name in (*names, *filter(None, [story]))}
    return {
        **BASE,
        "story": story and topic(story),
        "topics": [held[name] for name in sorted(held)],
        "sources": [{"name": word[:-1], "url": word[-1]} for word in sources.split()],
        **values,
    }


def names(merge):
    return "".join(topic["name"] for topic in merge.document["topics"])


def sources(merge):
    return " ".join(source["name"] + source["url"] for source in merge.document["sources"])


TOPICS = st.lists(st.sampled_from("abcd"), unique=True, max_size=4)


def lists_of_sources(unique_by=None):
    words = st.tuples(st.sampled_from("AB"), st.sampled_from("pqrs")).map("".join)
    return st.lists(words, max_size=5, unique_by=unique_by).map(" ".join)


DOCUMENTS = st.builds(
    lambda names, **values: document(*names, **values),
    TOPICS,
    story=st.none() | st.sampled_from("abcd"),
    sources=lists_of_sources() | lists_of_sources(unique_by=lambda word: word[-1]),
    headline=st.sampled_from("HI"),
    body=st.sampled_from(["", "B"]),
    origin=st.sampled_from([None, ORIGIN]),
)


def test_changes_of_different_fields_are_put_together():
    merge = merging.merge(document(), document(headline="Theirs."), document(body="Mine."))
    assert merge.document == document(headline="Theirs.", body="Mine.")
    assert (merge.theirs, merge.mine, merge.conflicts, merge.both) == (["headline"], ["body"], [], [])


def test_a_field_that_both_changed_differently_is_a_conflict_and_stays_mine():
    merge = merging.merge(document(), document(headline="Theirs."), document(headline="Mine."))
    assert merge.conflicts == ["headline"]
    assert merge.document["headline"] == "Mine."


def test_the_same_change_by_both_is_no_conflict():
    merge = merging.merge(document(), document(date="2017-02-26"), document(date="2017-02-26"))
    assert merge == merging.Merge(document(date="2017-02-26"), [], [], [], ["date"], [])


def test_without_a_base_each_difference_is_a_conflict():
    theirs, mine = document("a", headline="Theirs.", sources="Aa"), document("b", headline="Mine.", sources="Bb")
    merge = merging.merge(None, theirs, mine)
    assert merge == merging.Merge(mine, ["headline", "topics", "sources"], [], [], [], [])


def test_additions_and_removals_of_topics_combine():
    merge = merging.merge(document(*"abc"), document(*"acT"), document(*"abM"))
    assert names(merge) == "aMT"
    assert (merge.conflicts, merge.combined) == ([], ["topics"])


def test_topics_are_compared_by_what_they_stand_for_today():
    resolve = {"burma": 1, "myanmar": 1, "asean": 2, "new": 3}.get
    merge = merging.merge(document("Burma"), document("Myanmar", "ASEAN"), document("New"), resolve=resolve)
    assert [topic["name"] for topic in merge.document["topics"]] == ["ASEAN", "New"]
    assert merging.merge(document("Burma"), document("Myanmar"), document("Burma"), resolve=resolve).theirs == []


def test_a_story_that_one_side_chose_is_a_topic_though_the_other_removed_it():
    merge = merging.merge(document("a", "b"), document("a", story="b"), document("a"))
    assert merge.document == document("a", story="b")
    assert (merge.theirs, merge.mine) == (["story"], ["topics"])


def test_additions_removals_and_new_names_of_sources_combine():
    merge = merging.merge(
        document(sources="Aa Bb Cc Dd"), document(sources="Ta Bb Cc Ee"), document(sources="Aa Mb Dd Ff")
    )
    assert sources(merge) == "Ta Mb Ff Ee"
    assert (merge.conflicts, merge.combined) == ([], ["sources"])


def test_two_names_for_one_source_are_a_conflict_and_the_rest_combines():
    merge = merging.merge(document(sources="Aa"), document(sources="Ta Ee"), document(sources="Ma Ff"))
    assert sources(merge) == "Ma Ff Ee"
    assert merge.conflicts == ["sources"]


def test_a_source_that_one_removed_and_the_other_renamed_is_a_conflict():
    base, without, renamed = document(sources="Aa Bb"), document(sources="Bb"), document(sources="Ma Bb")
    for theirs, mine in ((without, renamed), (renamed, without)):
        merge = merging.merge(base, theirs, mine)
        assert merge.conflicts == ["sources"]
        assert merge.document["sources"] == mine["sources"]


def test_a_source_added_by_both_under_one_name_is_there_once():
    merge = merging.merge(document(), document(sources="Nn Tt"), document(sources="Nn Mm"))
    assert sources(merge) == "Nn Mm Tt"
    assert merge.conflicts == []


def test_an_address_cited_twice_keeps_its_citations_apart():
    base, theirs, mine = (document(sources=words) for words in ("Aa Ba", "Aa Ca", "Ba"))
    merge = merging.merge(base, theirs, mine)
    assert (sources(merge), merge.conflicts) == ("Ca", [])


def test_order_is_mine_if_i_changed_it_and_else_theirs():
    base, turned = document(sources="Aa Bb Cc"), document(sources="Cc Bb Aa")
    assert sources(merging.merge(base, turned, document(sources="Aa Bb Cc Mm"))) == "Cc Mm Bb Aa"
    assert sources(merging.merge(base, document(sources="Aa Tt Bb Cc"), turned)) == "Cc Bb Aa Tt"
    assert sources(merging.merge(base, document(sources="Bb Aa Cc"), turned)) == "Cc Bb Aa"


def test_an_added_source_follows_the_one_that_it_followed():
    merge = merging.merge(document(sources="Aa Bb"), document(sources="Aa Tt Bb"), document(sources="Mm Aa Bb Nn Oo"))
    assert sources(merge) == "Mm Aa Tt Bb Nn Oo"


@given(DOCUMENTS, DOCUMENTS)
def test_one_side_alone_is_taken_as_it_is(base, changed):
    by_me, by_them = merging.merge(base, base, changed), merging.merge(base, changed, base)
    assert documents.same(by_me.document, changed)
    assert documents.same(by_them.document, changed)
    assert by_me.mine == by_them.theirs
    assert not any([*by_me[1:3], *by_me[4:], *by_them[1:2], *by_them[3:]])


def citations(document):
    return Counter((source["name"], source["url"]) for source in document["sources"])


def keys(document):
    return {topic["key"] for topic in document["topics"]}


@given(DOCUMENTS, DOCUMENTS, DOCUMENTS)
def test_nothing_that_either_side_added_is_lost(base, theirs, mine):
    merge = merging.merge(base, theirs, mine)
    merged = merge.document
    assert keys(merged) >= (keys(theirs) | keys(mine)) - keys(base)
    assert merged["story"] is None or merged["story"] in merged["topics"]
    sides = (mine,) if "sources" in merge.conflicts else (theirs, mine)
    for side in sides:
        assert citations(merged).keys() >= (citations(side) - citations(base)).keys()


@given(DOCUMENTS, DOCUMENTS, DOCUMENTS)
def test_without_conflicts_both_sides_come_to_the_same(base, theirs, mine):
    merge, back = merging.merge(base, theirs, mine), merging.merge(base, mine, theirs)
    assert merge.conflicts == back.conflicts
    assert (merge.theirs, merge.mine, merge.both) == (back.mine, back.theirs, back.both)
    if not merge.conflicts:
        assert documents.same(merge.document | {"sources": []}, back.document | {"sources": []})
        assert citations(merge.document) == citations(back.document)


@given(DOCUMENTS, DOCUMENTS, DOCUMENTS)
def test_each_changed_field_is_told_once(base, theirs, mine):
    merge = merging.merge(base, theirs, mine)
    told = [*merge.conflicts, *merge.theirs, *merge.mine, *merge.both, *merge.combined]
    assert len(told) == len(set(told))
    assert all(merge.document[field] == mine[field] for field in merge.conflicts if field not in ("topics", "sources"))
