"""An event's page: what stands on it and in which order, what it says to machines, and how much of it there is."""

import datetime
import json

import pytest
import time_machine
from django.core.cache import cache
from lxml import html

from events import addresses, publishing
from events.models import Event
from events.pages import linked_data
from tests.words import DAY, draft, published, updated

pytestmark = pytest.mark.django_db

NOON = datetime.datetime(2026, 11, 22, 12, 0, 20, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
FIRST = addresses.neutral_event(DAY, "parliament-adopts-the-budget")
SECOND = addresses.neutral_event(DAY, "parliament-adopts-the-budget-for-2018")
EVIL = "</script><script>alert(1)</script><!--\u2028&"


@pytest.fixture(autouse=True)
def empty_cache():
    cache.clear()


@pytest.fixture
def event(db):
    """An event that was published at noon, corrected an hour later and updated an hour after that."""
    values = {"body": "A *narrow* vote.", "story": "Budget", "topics": ["预算"], "category": "Politics"}
    with time_machine.travel(NOON, tick=False):
        event = published(sources=[("The Post", "https://www.post.example/a?b=1&c=2")], **values)
    with time_machine.travel(NOON + HOUR, tick=False):
        headline = "Parliament adopts the budget for 2018."
        updated(event, kind="correction", note="It is the budget for 2018.", headline=headline)
    with time_machine.travel(NOON + 2 * HOUR, tick=False):
        updated(event, body="A *narrow* vote, by 40 to 39.")
    return event


def page(client, path):
    """The HTML at an address, as a tree."""
    response = client.get(path)
    assert response.status_code == 200
    return html.fromstring(response.content.decode())


def text(tree):
    return " ".join(tree.text_content().split())


def main(tree):
    return tree.get_element_by_id("main")


def article(tree):
    """The schema.org data of a page, or None."""
    scripts = tree.xpath("//script[@type='application/ld+json']")
    return json.loads(scripts[0].text) if scripts else None


def stated(tree, name):
    """What a page states under the name of a property, or of a meta element."""
    return tree.xpath("//meta[@property=$name or @name=$name]/@content", name=name)


def paths(tree):
    return [addresses.relative(link.get("href")) for link in tree.iter("a")]


class TestReading:
    def test_it_leads_to_its_day_its_story_its_category_and_its_topics(self, client, event):
        tree = main(page(client, f"{SECOND}.html"))
        assert paths(tree.find_class("way")[0]) == [
            "/news/index.html",
            "/news/2017/index.html",
            "/news/2017/02/index.html",
            "/news/2017/02/25/",
        ]
        assert paths(tree.find_class("over")[0]) == ["/topics/budget/index.html"]
        assert paths(tree.find_class("times")[0]) == ["/categories/politics/index.html"]
        assert paths(tree.find_class("topics")[0]) == [
            "/topics/budget/index.html",
            "/topics/%E9%A2%84%E7%AE%97/index.html",
        ]

    def test_it_begins_with_its_date_which_is_printed_too(self, client, event):
        for path in (f"{SECOND}.html", f"{FIRST}.v1.html"):
            assert page(client, path).find_class("times")[0].find("time").get("datetime") == DAY.isoformat()

    def test_what_others_wrote_is_in_its_own_language(self, client):
        published("البرلمان يعتمد الميزانية.", language="ar", topics=["预算", "Parliament"])
        published(sources=[("القدس", "https://q.example/")], language="fa", topics=["预算", "Parliament"])
        tree = page(client, f"{FIRST}.html")
        assert tree.find_class("related")[0].find_class("headline")[0].get("lang") == "ar"
        assert tree.find_class("sources")[0].find(".//bdi").get("lang") == "fa"

    def test_headings_of_a_text_stand_below_one_of_the_page(self, client):
        published(body="# Before\n\n### After")
        headings = list(main(page(client, f"{FIRST}.html")).iter("h1", "h2", "h3", "h4"))
        assert [(heading.tag, text(heading)) for heading in headings[:4]] == [
            ("h1", "Parliament adopts the budget."),
            ("h2", "Text"),
            ("h3", "Before"),
            ("h4", "After"),
        ]

    def test_what_an_update_says_of_itself_is_named(self, client, event):
        with time_machine.travel(NOON + 3 * HOUR, tick=False):
            updated(event, body="A vote.", note="The vote was counted again.")
        notice = page(client, f"{SECOND}.v4.html").xpath("//aside[@aria-label='Note']")[0]
        assert text(notice) == "Update 22 November 2026, 15:00 UTC The vote was counted again."

    def test_in_the_past_its_links_stay_there(self, client, event):
        past = addresses.as_of(NOON + HOUR)
        tree = main(page(client, f"{past}{SECOND}.html"))
        for name in ("way", "over", "times", "topics"):
            assert all(path.startswith(f"{past}/") for path in paths(tree.find_class(name)[0])), name
        assert article(page(client, f"{past}{SECOND}.html")) is None

    def test_a_correction_stands_before_the_text_that_it_corrects(self, client, event):
        for path in (f"{SECOND}.html", f"{SECOND}.v2.html"):
            tree = main(page(client, path))
            notice = tree.find_class("correction")[0]
            assert text(notice) == (
                "Corrected 22 November 2026, 13:00 UTC What changed in version 2 It is the budget for 2018."
            )
            assert paths(notice) == [f"{SECOND}.v1-v2.html"]
            order = [
                element
                for element in tree.iter()
                if element in (tree.find(".//h1"), notice, tree.find_class("body")[0])
            ]
            assert [element.tag for element in order] == ["h1", "aside", "div"]

    def test_what_was_not_corrected_yet_has_no_correction_on_it(self, client, event):
        assert not page(client, f"{FIRST}.v1.html").find_class("correction")

    def test_of_many_corrections_it_shows_the_latest(self, client, event):
        for number in range(4):
            updated(event, kind="correction", note=f"It was {number}.", body=f"A vote of {number}.")
        notice = page(client, f"{SECOND}.html").find_class("correction")[0]
        assert [text(note) for note in notice.find_class("note")] == ["It was 3.", "It was 2.", "It was 1."]
        assert notice.findall(".//a")[-1].get("href") == "#changes"

    def test_a_redacted_correction_is_not_shown_as_one(self, client, event):
        publishing.redact(event, 2, by=None, note="A court ordered it.")
        tree = page(client, f"{SECOND}.html")
        assert not tree.find_class("correction")
        assert "correction" not in article(tree)

    def test_a_long_headline_says_so(self, client, db):
        for length, wanted in ((159, None), (160, "long")):
            cache.clear()
            event = published("a" * length)
            assert page(client, client.get(addresses.uid(event.uid))["Location"]).find(".//h1").get("class") == wanted

    def test_it_has_a_line_to_cite_the_version_by(self, client, event):
        line = (
            "“Parliament adopts the budget for 2018.”, Newsdesk, version {}, 22 November 2026, {} UTC, "
            + addresses.absolute(f"{SECOND}.v")
            + "{}.html"
        )
        for path, version, time in ((f"{SECOND}.html", 3, "14:00"), (f"{SECOND}.v2.html", 2, "13:00")):
            assert text(page(client, path).find_class("cite")[0]) == line.format(version, time, version)
            assert page(client, path).find(".//code[@data-copy]") is not None


class TestChanges:
    def test_each_leads_to_what_it_changed(self, client, event):
        assert [change["difference"] for change in client.get(f"{SECOND}.json").json()["changes"]] == [
            None,
            addresses.absolute(f"{SECOND}.v1-v2.html"),
            addresses.absolute(f"{SECOND}.v2-v3.html"),
        ]
        tree = page(client, f"{SECOND}.html")
        assert [text(link) for link in tree.find_class("what")] == [
            "What changed in version 2",
            "What changed in version 3",
        ]

    def test_each_is_named_by_its_number_and_says_what_it_is(self, client, event):
        lines = page(client, f"{SECOND}.html").find_class("changes")[0].findall("li")
        assert [text(line.find_class("label")[0]).split(" 22 ")[0] for line in lines] == [
            "Version 1 First version",
            "Version 2 Correction",
            "Version 3 Update, the current version",
        ]

    def test_only_corrections_are_drawn_as_such(self, client, event):
        updated(event, body="A vote.", note="It was counted again.")
        tree = page(client, f"{SECOND}.html")
        assert [line.get("class") for line in tree.find_class("changes")[0].findall("li")] == [
            None,
            "corrected",
            None,
            None,
        ]
        publishing.redact(event, 2, by=None, note="A court ordered it.")
        assert not page(client, f"{SECOND}.html").find_class("changes")[0].xpath("li[@class]")

    def test_a_version_without_a_text_is_passed_over(self, client, event):
        publishing.withdraw(event, by=None, note="We check it.")
        publishing.restore(event, by=None, note="It is true.")
        updated(event, body="A vote.")
        publishing.redact(event, 2, by=None, note="A court ordered it.")
        found = client.get(f"{SECOND}.json").json()["changes"]
        assert [change["difference"] and change["difference"].split(".")[-2] for change in found] == [
            None,
            None,
            "v1-v3",
            None,
            None,
            "v5-v6",
        ]
        for change in found:
            if change["difference"]:
                assert client.get(addresses.relative(change["difference"])).status_code == 200

    def test_any_two_with_a_text_can_be_chosen(self, client, event):
        publishing.redact(event, 2, by=None, note="A court ordered it.")
        updated(event, body="A vote.")
        form = page(client, f"{SECOND}.html").find(".//form[@class='compare']")
        assert (form.get("method"), form.get("action")) == ("get", addresses.chosen_versions(event.uid))
        for name, chosen in (("from", "3"), ("to", "4")):
            radios = form.xpath(".//input[@type='radio'][@name=$name]", name=name)
            assert [radio.get("value") for radio in radios] == ["1", "3", "4"]
            assert [radio.get("value") for radio in radios if radio.get("checked") is not None] == [chosen]
        assert form.find(".//button") is not None
        assert text(form.find("fieldset/legend")) == "Compare two versions"
        assert [text(label) for label in form.iter("label")][:2] == ["from 1", "to 1"]

    def test_one_text_has_nothing_to_compare_it_with(self, client, event):
        publishing.redact(event, 1, by=None, note="A court ordered it.")
        publishing.redact(event, 2, by=None, note="A court ordered it.")
        tree = page(client, f"{SECOND}.html")
        assert tree.find_class("changes") and not tree.find_class("compare") and not tree.find_class("what")

    def test_a_headline_is_repeated_only_where_it_changed(self, client, event):
        tree = page(client, f"{SECOND}.html")
        assert [text(headline) for headline in tree.find_class("was")] == [
            "Parliament adopts the budget.",
            "Parliament adopts the budget for 2018.",
        ]


class TestEarlierVersions:
    @pytest.mark.parametrize("path", [f"{FIRST}.v1.html", f"{FIRST}.html"])
    def test_it_begins_with_the_way_to_the_current_one_and_what_was_changed_since(self, client, event, path):
        tree = main(page(client, path))
        link = tree.find(".//a")
        assert (addresses.relative(link.get("href")), link.get("accesskey")) == (SECOND, "c")
        assert text(link) == "Read the current version"
        notice = tree.find_class("earlier")[0]
        assert [text(note) for note in notice.find_class("note")] == ["It is the budget for 2018."]
        assert [text(item.find(".//a")) for item in notice.findall(".//li")] == ["Version 2", "Version 3"]
        assert f"{SECOND}.v1-v3.html" in paths(notice)
        assert list(tree.iter()).index(notice) < list(tree.iter()).index(tree.find(".//h1"))

    def test_the_current_one_says_so(self, client, event):
        tree = main(page(client, f"{SECOND}.v3.html"))
        assert "This is version 3, the current one." in text(tree.find_class("notice")[0])
        assert addresses.relative(tree.find(".//a").get("href")) == SECOND
        assert not tree.find_class("earlier")

    def test_a_numbered_one_tells_what_was_changed_since_in_every_format(self, client, event):
        assert [change["version"] for change in client.get(f"{FIRST}.v1.json").json()["since"]] == [2, 3]
        assert client.get(f"{SECOND}.v3.json").json()["since"] == []
        assert "It is the budget for 2018." in client.get(f"{FIRST}.v1.md").content.decode()

    def test_many_changes_since_are_folded_but_for_the_corrections(self, client, event):
        assert page(client, f"{FIRST}.v1.html").find(".//details").get("open") is not None
        for number in range(4):
            updated(event, body=f"A vote of {number}.", note=f"The vote was of {number}.")
        notice = page(client, f"{FIRST}.v1.html").find_class("earlier")[0]
        assert notice.find(".//details").get("open") is None
        assert [text(note) for note in notice.xpath("./p[@class='note']")] == ["It is the budget for 2018."]

    def test_a_redacted_one_says_what_it_is_and_where_to_go(self, client, event):
        publishing.redact(event, 2, by=None, note="A court ordered it.")
        tree = page(client, f"{SECOND}.v2.html")
        assert text(tree.find(".//h1")) == "The text of this version was removed"
        assert "A court ordered it." in text(main(tree))
        assert addresses.relative(main(tree).find(".//a").get("href")) == SECOND
        assert article(tree) is None and not stated(tree, "og:title") and not tree.find_class("cite")

    def test_a_withdrawal_says_what_it_is_and_where_to_go(self, client, event):
        publishing.withdraw(event, by=None, note="We check it.")
        publishing.restore(event, by=None, note="It is true.")
        tree = page(client, f"{SECOND}.v4.html")
        assert text(tree.find(".//h1")) == "The entry was withdrawn"
        assert addresses.relative(main(tree).find(".//a").get("href")) == SECOND
        assert article(tree) is None

    def test_a_past_whose_version_was_redacted_since_is_told(self, client, event):
        publishing.redact(event, 2, by=None, note="A court ordered it.")
        tree = page(client, f"{addresses.as_of(NOON + HOUR)}{FIRST}.html")
        assert "The text of the one that followed was removed since." in text(tree.find_class("earlier")[0])
        assert text(tree.find(".//h1")) == "Parliament adopts the budget."


class TestForMachines:
    def test_it_is_a_news_article_with_its_corrections(self, client, event):
        found = article(page(client, f"{SECOND}.html"))
        assert found == {
            "@context": "https://schema.org",
            "@type": "NewsArticle",
            "headline": "Parliament adopts the budget for 2018.",
            "description": "Parliament adopts the budget for 2018.",
            "url": addresses.absolute(SECOND),
            "mainEntityOfPage": addresses.absolute(SECOND),
            "identifier": f"urn:uuid:{event.uid}",
            "version": 3,
            "inLanguage": "en",
            "datePublished": "2026-11-22T12:00:20Z",
            "dateModified": "2026-11-22T14:00:20Z",
            "articleSection": "Politics",
            "about": [{"@type": "Thing", "name": "Budget"}, {"@type": "Thing", "name": "预算"}],
            "citation": ["https://www.post.example/a?b=1&c=2"],
            "correction": [
                {
                    "@type": "CorrectionComment",
                    "text": "It is the budget for 2018.",
                    "datePublished": "2026-11-22T13:00:20Z",
                }
            ],
            "publisher": {
                "@type": "Organization",
                "name": "Newsdesk",
                "url": addresses.absolute("/"),
                "correctionsPolicy": addresses.absolute("/corrections/policy.html"),
            },
        }

    def test_of_long_lists_it_says_the_beginning_the_story_first(self, client):
        sources = [("The Post", f"https://post.example/{number}") for number in range(13)]
        published(story="Zoo", topics=[f"Topic {number:02}" for number in range(13)], sources=sources)
        found = article(page(client, f"{FIRST}.html"))
        assert [topic["name"] for topic in found["about"]] == ["Zoo", *(f"Topic {number:02}" for number in range(11))]
        assert found["citation"] == [url for _name, url in sources[:12]]

    def test_a_version_speaks_for_itself(self, client, event):
        found = article(page(client, f"{FIRST}.v1.html"))
        assert (found["version"], found["url"]) == (1, addresses.absolute(f"{FIRST}.v1.html"))
        assert "correction" not in found

    def test_it_says_what_it_was_taken_from_and_under_which_licence(self, client, settings):
        settings.NEWSDESK_LICENSE = "https://creativecommons.org/licenses/by/4.0/"
        event = published(origin={"name": "Wikinews", "url": "https://w.example/", "licence": "CC BY 2.5"})
        assert Event.objects.get(pk=event.pk).origin
        found = article(page(client, f"{FIRST}.html"))
        assert found["license"] == "https://creativecommons.org/licenses/by/4.0/"
        assert found["isBasedOn"] == {
            "@type": "CreativeWork",
            "name": "Wikinews",
            "url": "https://w.example/",
            "license": "CC BY 2.5",
        }

    def test_a_long_headline_is_cut_where_search_engines_cut_it(self, client):
        published("A long headline " * 20 + "ends.", date=DAY)
        shape = client.get(f"{addresses.day(DAY, 'json')}").json()["events"][0]
        found = article(page(client, addresses.relative(shape["url"])))
        assert len(found["headline"]) == 110 and found["headline"].endswith("…")
        assert found["description"] == shape["headline"]

    def test_no_text_ends_the_script(self, client):
        headline = EVIL.replace("\u2028", "")
        updated(published(headline), kind="correction", note=EVIL.replace("\u2028", ""), topics=[headline])
        tree = page(client, client.get(addresses.uid(Event.objects.get().uid))["Location"])
        found = article(tree)
        assert found["headline"] == found["about"][0]["name"] == found["correction"][0]["text"] == headline
        assert "alert(1)" not in [script.text for script in tree.iter("script")]

    def test_a_line_separator_is_written_as_an_escape(self):
        written = linked_data.script({"text": EVIL})
        assert json.loads(written)["text"] == EVIL
        assert not set(written) & set("<>&\u2028\u2029")

    def test_a_link_to_it_has_a_title_and_a_description(self, client, event):
        tree = page(client, f"{SECOND}.html")
        for name, value in {
            "og:type": "article",
            "og:title": "Parliament adopts the budget for 2018.",
            "og:description": "A narrow vote, by 40 to 39.",
            "og:url": addresses.absolute(SECOND),
            "og:site_name": "Newsdesk",
            "article:published_time": "2026-11-22T12:00:20Z",
            "article:modified_time": "2026-11-22T14:00:20Z",
            "description": "A narrow vote, by 40 to 39.",
        }.items():
            assert stated(tree, name) == [value], name

    def test_without_a_body_the_headline_describes_it(self, client):
        published('Parliament "adopts" <the> budget & more.')
        (path,) = (event["url"] for event in client.get("/index.json").json()["events"])
        assert stated(page(client, addresses.relative(path)), "description") == [
            'Parliament "adopts" <the> budget & more.'
        ]


class TestSize:
    def test_a_large_event_takes_little_beside_its_body(self, client):
        """All that an entry may have, and more versions than any had yet; names and addresses as long as they are."""
        event = draft(
            "Something happens somewhere, and it is told in a sentence that is as long as they are on average here.",
            body="A body.",
            category="Armed conflicts and attacks",
            topics=[f"A topic named {number:02}" for number in range(59)],
            story="The story of it",
            sources=[
                (
                    f"The Post {number}",
                    f"https://www.post.example/world/2017/02/25/something-happens-somewhere-{number}",
                )
                for number in range(50)
            ],
        )
        publishing.publish(event, by=None)
        note = "An earlier version gave another number of members who voted for it. It was {}."
        for number in range(2, 20):
            kind = "correction" if number % 3 == 0 else "update"
            updated(event, kind, note.format(number) if kind == "correction" else "", body=f"A body of {number}.")
        topics = event.editions.first().document["topics"][:5]
        for number in range(5):
            other = published(f"Something else {number} happens.", topics=[topic["name"] for topic in topics])
            publishing.choose_related(event, other, by=None, shown=True)
        path = client.get(addresses.uid(event.uid))["Location"]
        shape = client.get(f"{path}.json").json()
        assert (len(shape["sources"]), len(shape["changes"]), len(shape["topics"])) == (50, 19, 60)
        assert len(shape["related"]) == 5
        content = client.get(f"{path}.html").content
        assert len(content) - len(shape["body_html"].encode()) <= 40_000

    def test_a_page_takes_its_queries(self, client, event, django_assert_max_num_queries):
        for number in range(10):
            updated(event, body=f"Version {number}.")
        for path in (f"{SECOND}.html", f"{FIRST}.html", f"{FIRST}.v1.html", f"{addresses.as_of(NOON)}{FIRST}.html"):
            with django_assert_max_num_queries(5):
                assert client.get(path).status_code == 200
            with django_assert_max_num_queries(1):
                client.get(path)
