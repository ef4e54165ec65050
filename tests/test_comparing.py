"""What changed between two versions: what is at the address of each pair, in which words, and what leads there."""

import datetime
import time

import pytest
import time_machine
from django.core.cache import cache
from lxml import html

from events import addresses, publishing
from events.models import Topic
from tests.words import DAY, in_minutes, published, revise, topic, updated

pytestmark = pytest.mark.django_db

NOON = datetime.datetime(2026, 11, 22, 12, 0, 20, tzinfo=datetime.UTC)
FIRST = addresses.neutral_event(DAY, "parliament-adopts-the-budget")
SECOND = addresses.neutral_event(DAY, "parliament-adopts-the-budget-for-2018")


@pytest.fixture(autouse=True)
def empty_cache():
    cache.clear()


@pytest.fixture
def event(db):
    """An event of three versions, of which the second has another headline."""
    with time_machine.travel(NOON, tick=False):
        event = published(
            body="At least 40 members vote for it.",
            topics=["Budget", "Armenia"],
            sources=[("The Post", "https://p.example/")],
        )
        updated(
            event,
            kind="correction",
            note="It is the budget for 2018.",
            headline="Parliament adopts the budget for 2018.",
            body="At least 42 members vote for it.",
        )
        updated(
            event, topics=["Budget"], sources=[("The Post", "https://p.example/"), ("The Times", "https://t.example/a")]
        )
    return event


def page(client, path, status=200):
    """The HTML at an address, as a tree."""
    response = client.get(path)
    assert response.status_code == status
    return html.fromstring(response.content.decode())


def text(tree):
    return " ".join(tree.text_content().split())


def shape(client, path):
    response = client.get(path)
    assert response.status_code == 200
    return response.json()


def leads(client, path):
    """(status, path) of a redirect."""
    response = client.get(path)
    return response.status_code, response.headers.get("Location")


class TestComparison:
    def test_it_says_what_changed_field_by_field(self, client, event):
        found = shape(client, f"{SECOND}.v1-v3.json")
        assert found["summary"] == (
            "1 word replaced in the body; 1 word replaced, 2 words added in the headline; source 2 added; "
            "topic Armenia removed."
        )
        fields = {difference["field"]: difference for difference in found["differences"]}
        assert list(fields) == ["headline", "body", "topics", "sources"]
        assert fields["body"]["pieces"] == [
            {"op": "same", "text": "At least "},
            {"op": "removed", "text": "40 "},
            {"op": "added", "text": "42 "},
            {"op": "same", "text": "members vote for it."},
        ]
        assert (fields["topics"]["removed"], fields["topics"]["kept"]) == (["Armenia"], ["Budget"])
        assert [(row["state"], row["number"]) for row in fields["sources"]["rows"]] == [("same", 1), ("added", 2)]
        assert (found["headline"], found["language"]) == ("Parliament adopts the budget for 2018.", "en")

    def test_it_names_both_versions_and_the_changes_between(self, client, event):
        found = shape(client, f"{SECOND}.v1-v3.json")
        assert (found["old"]["version"], found["old"]["label"]) == (1, "First version")
        assert (found["new"]["version"], found["new"]["label"]) == (3, "Current version")
        assert found["old"]["url"] == addresses.absolute(f"{FIRST}.v1.html")
        assert [(change["version"], change["note"]) for change in found["changes"]] == [
            (2, "It is the budget for 2018."),
            (3, ""),
        ]
        assert found["changes"][1]["difference"] == addresses.absolute(f"{SECOND}.v2-v3.html")
        assert found["latest"] == addresses.absolute(SECOND)
        assert found["formats"]["md"] == found["url"].removesuffix("html") + "md"

    @pytest.mark.parametrize("format", addresses.FORMATS)
    def test_it_has_every_format(self, client, event, format):
        response = client.get(f"{SECOND}.v1-v2.{format}")
        assert response.status_code == 200
        assert response["X-Robots-Tag"] == "noindex"
        for word in ("40", "42", "It is the budget for 2018."):
            assert word in response.content.decode()

    def test_the_page_tells_it_in_words(self, client, event):
        tree = page(client, f"{SECOND}.v1-v2.html")
        assert text(tree.find(".//h1")) == "What changed from version 1 to version 2"
        assert "1 word replaced in the body" in text(tree.find_class("sum")[0])
        compared = text(tree.find_class("comparison")[0])
        assert "At least removed: 40 added: 42 members vote for it." in compared
        assert text(tree.find_class("note")[0]) == "It is the budget for 2018."
        assert [heading.tag for heading in tree.find_class("comparison")[0].iter("h2", "h3")] == ["h2", "h2"]

    def test_the_space_after_a_word_is_not_struck_through(self, client, event):
        tree = page(client, f"{SECOND}.v1-v2.html")
        passage = tree.find_class("diff")[1]
        assert "".join(passage.itertext()).endswith("At least removed: 40 added: 42 members vote for it.")
        assert [mark.text_content().partition(": ")[2] for mark in passage.iter("del", "ins")] == ["40", "42"]
        assert [mark.tail for mark in passage.iter("del", "ins")] == [" ", " members vote for it."]

    def test_spaces_alone_are_named_and_stay(self, client):
        updated(published(body="One.\nTwo."), body="One.\n\n\nTwo.")
        (mark,) = page(client, f"{FIRST}.v1-v2.html").find_class("diff")[0].iter("ins")
        assert text(mark) == "added: [space or line break]"
        assert mark.tail.startswith("\n")

    def test_the_versions_are_named_and_the_date_is_printed(self, client, event):
        tree = page(client, f"{SECOND}.v1-v2.html")
        assert [text(link) for link in tree.xpath("//table[@class='versions']//a")] == ["Version 1", "Version 2"]
        assert tree.find_class("printed")[0].find("time").get("datetime") == DAY.isoformat()

    def test_it_leads_to_the_changes_before_and_after(self, client, event):
        response = client.get(f"{SECOND}.v1-v2.html")
        assert f'<{addresses.absolute(f"{SECOND}.v2-v3.html")}>; rel="next"' in response["Link"]
        assert 'rel="prev"' not in response["Link"]
        tree = page(client, f"{SECOND}.v2-v3.html")
        assert [link.get("href") for link in tree.find_class("neighbours")[0].iter("a")] == [f"{SECOND}.v1-v2.html"]

    def test_equal_texts_have_no_difference(self, client):
        event = published(body="It is.")
        publishing.withdraw(event, by=None, note="We check it.")
        publishing.restore(event, by=None, note="It is true.")
        found = shape(client, f"{FIRST}.v1-v3.json")
        assert (found["summary"], found["differences"]) == ("No difference.", [])
        assert [change["label"] for change in found["changes"]] == ["Withdrawn", "Current version"]
        assert "No difference." in text(page(client, f"{FIRST}.v1-v3.html"))

    def test_a_topic_with_another_name_is_no_difference(self, client):
        event = published(topics=["Burma"])
        publishing.merge_topics(topic("Burma"), topic("Myanmar"), by=None)
        updated(event, body="More.", topics=["Myanmar"])
        assert Topic.objects.get(name="Burma").alias_of
        found = shape(client, f"{FIRST}.v1-v2.json")
        assert [difference["field"] for difference in found["differences"]] == ["body"]

    def test_markup_in_texts_stays_text(self, client):
        evil = "<img src=x onerror=alert(1)>"
        event = published(body="a", topics=["a"])
        updated(event, body=evil, topics=[evil], note=evil, sources=[(evil, "https://p.example/")])
        tree = page(client, f"{FIRST}.v1-v2.html")
        assert not tree.findall(".//main//img")
        assert text(tree).count(evil) >= 4

    def test_queries_do_not_grow_with_the_versions(self, client, event, django_assert_num_queries):
        for number in range(4, 20):
            updated(event, body=f"Version {number}.", topics=[f"Topic {number}", "Budget"])
        for pair in ("v1-v2", "v1-v19"):
            with django_assert_num_queries(3):
                assert client.get(f"{SECOND}.{pair}.html").status_code == 200
            with django_assert_num_queries(1):
                client.get(f"{SECOND}.{pair}.html")

    def test_a_body_of_50_000_characters_takes_less_than_a_second_of_work(self, client):
        words = [f"word{number}" for number in range(6_000)]
        event = published(body=" ".join(words)[:50_000])
        updated(event, body=" ".join(word if number % 3 else "new" for number, word in enumerate(words))[:50_000])
        start = time.process_time()
        assert client.get(f"{FIRST}.v1-v2.html").status_code == 200
        assert time.process_time() - start < 1


class TestAddress:
    def test_it_stands_under_the_slug_of_the_newer_version(self, client, event):
        assert leads(client, f"{FIRST}.v1-v2.json") == (302, f"{SECOND}.v1-v2.json")
        updated(event, headline="Parliament adopts the budget.")
        assert leads(client, f"{SECOND}.v2-v4.html") == (302, f"{FIRST}.v2-v4.html")
        assert client.get(f"{FIRST}.v2-v4.html").status_code == 200

    def test_an_event_with_another_date_has_it_under_the_newer_one(self, client):
        event = published()
        moved = addresses.neutral_event(datetime.date(2017, 2, 26), "parliament-adopts-the-budget")
        updated(event, kind="correction", note="It was a day later.", date=datetime.date(2017, 2, 26))
        assert leads(client, f"{FIRST}.v1-v2.html") == (302, f"{moved}.v1-v2.html")
        assert shape(client, f"{moved}.v1-v2.json")["summary"] == "Date changed from 2017-02-25 to 2017-02-26."

    def test_the_newer_one_first_redirects_to_the_older_one_first(self, client, event):
        assert leads(client, f"{SECOND}.v3-v1.md") == (301, f"{SECOND}.v1-v3.md")

    def test_a_version_with_itself_redirects_to_the_version(self, client, event):
        assert leads(client, f"{SECOND}.v2-v2.html") == (301, f"{SECOND}.v2.html")

    @pytest.mark.parametrize("format", addresses.FORMATS)
    def test_what_is_not_public_is_the_usual_404(self, client, event, format):
        usual = client.get(f"{FIRST}-never.{format}")
        with time_machine.travel(NOON, tick=False):
            publishing.schedule(revise(event, body="Later."), by=None, issue=in_minutes(5, NOON), kind="update")
            paths = [f"{SECOND}.v3-v4.{format}", f"{SECOND}.v1-v9.{format}", f"{FIRST}-never.v1-v2.{format}"]
            paths += [f"/news/2017/02/30/a.v1-v2.{format}"]
            answers = [client.get(path) for path in paths]
        assert {(answer.status_code, answer.content) for answer in answers} == {(404, usual.content)}

    def test_a_withdrawal_has_no_text_to_compare(self, client):
        event = published()
        publishing.withdraw(event, by=None, note="We check it.")
        publishing.restore(event, by=None, note="It is true.")
        assert [client.get(f"{FIRST}.{pair}.json").status_code for pair in ("v1-v2", "v2-v3")] == [404, 404]

    @pytest.mark.parametrize("format", addresses.FORMATS)
    def test_a_redacted_version_is_gone_without_a_word_of_either(self, client, event, format):
        publishing.redact(event, 2, by=None, note="A court ordered it.")
        for pair in ("v1-v2", "v2-v3"):
            response = client.get(f"{SECOND}.{pair}.{format}")
            assert response.status_code == 410
            content = response.content.decode()
            assert "redacted" in content
            for word in ("vote", "Armenia", "Budget", "The Post"):
                assert word not in content
        assert client.get(f"{SECOND}.v1-v3.{format}").status_code == 200

    @pytest.mark.parametrize("format", addresses.FORMATS)
    def test_that_of_a_withdrawn_event_is_gone_with_the_reason(self, client, event, format):
        client.get(f"{SECOND}.v1-v2.{format}")
        publishing.withdraw(event, by=None, note="The report was forged.")
        response = client.get(f"{SECOND}.v1-v2.{format}")
        assert response.status_code == 410
        assert "The report was forged." in response.content.decode()
        assert "vote" not in response.content.decode()
        assert client.get(f"{SECOND}.v1-v9.{format}").status_code == 404


class TestChosen:
    def chosen(self, event, **asked):
        return addresses.chosen_versions(event.uid) + "?" + "&".join(f"{name}={value}" for name, value in asked.items())

    def test_it_leads_to_the_comparison_whichever_is_named_first(self, client, event):
        assert leads(client, self.chosen(event, **{"from": 1, "to": 3})) == (302, f"{SECOND}.v1-v3.html")
        assert leads(client, self.chosen(event, **{"from": 2, "to": 1})) == (302, f"{SECOND}.v1-v2.html")
        assert leads(client, self.chosen(event, **{"from": 1, "to": 1})) == (302, f"{FIRST}.v1.html")

    @pytest.mark.parametrize("number", ["", "0", "01", "-1", "v1", "1.0", "9999999", "٣", "1%00"])
    def test_it_names_the_number_that_it_cannot_read(self, client, event, number):
        for asked in ({"from": 1, "to": number}, {"from": number, "to": 1}):
            named = next(name for name, value in asked.items() if value == number)
            assert f"“{named}” must be the number of a version" in text(page(client, self.chosen(event, **asked), 400))

    def test_it_names_what_is_missing_or_given_twice(self, client, event):
        assert "“to” must be" in text(page(client, self.chosen(event, **{"from": 1}), 400))
        assert "“from” must be" in text(page(client, addresses.chosen_versions(event.uid), 400))
        path = self.chosen(event, **{"from": 1, "to": 2}) + "&to=3"
        assert "“to” once" in text(page(client, path, 400))

    def test_it_names_the_versions_that_there_are(self, client, event):
        publishing.redact(event, 1, by=None, note="A court ordered it.")
        for number in (1, 4):
            answer = text(page(client, self.chosen(event, **{"from": number, "to": 3}), 400))
            assert "“from” must be the number of a version that has a text: 2, 3." in answer

    def test_what_is_scheduled_is_no_version(self, client, event):
        path = self.chosen(event, **{"from": 1, "to": 4})
        with time_machine.travel(NOON, tick=False):
            before = client.get(path)
            publishing.schedule(revise(event, body="Later."), by=None, issue=in_minutes(5, NOON), kind="update")
            cache.clear()
            assert (client.get(path).status_code, client.get(path).content) == (400, before.content)

    def test_an_event_that_is_not_there_has_none(self, client, event):
        publishing.withdraw(event, by=None, note="The report was forged.")
        asked = "?from=1&to=2"
        assert client.get(addresses.chosen_versions(event.uid) + asked).status_code == 410
        never = "00000000-0000-4000-8000-000000000000"
        assert client.get(addresses.chosen_versions(never) + asked).status_code == 404
