"""The description of the API: complete, and true of what the site answers to whatever it allows and forbids."""

import re

import jsonschema
import pytest
import schemathesis
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from lxml import html
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from events import keys, publishing
from events.models import Event
from events.wire import entries, labels, openapi
from events.wire import urls as wire
from newsdesk.wsgi import application
from tests.words import DAY, draft, person, published, updated

pytestmark = pytest.mark.django_db

QUICK = settings(
    max_examples=4,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


LONG = settings(QUICK, max_examples=100)
WRITING = ("POST", "PUT", "PATCH", "DELETE")


@pytest.fixture(autouse=True)
def at_leisure(settings):
    """An empty cache, and as many requests as one likes."""
    settings.NEWSDESK_RATE = settings.NEWSDESK_KEY_RATE = 900_000
    cache.clear()


@pytest.fixture
def record():
    values = {"category": "Politics", "story": "Brexit", "topics": ["Brexit", "Parliament"]}
    event = published("Parliament votes.", sources=[("BBC", "https://www.bbc.example/1")], **values)
    updated(event, kind="correction", note="It voted twice.", headline="Parliament votes twice.", body="**Twice**.")
    gone = published("A hoax is told.")
    publishing.withdraw(gone, by=None, note="It was a hoax.")
    published("It rains.", date=DAY.replace(day=3))
    draft("Nobody knows this.", topics=["Secret"])
    return event


@pytest.fixture
def connected():
    """The connection of the test is left open after each request, as Django's own client leaves it."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def operations(description, *methods):
    found = [result.ok() for result in description.get_all_operations()]
    return [operation for operation in found if operation.method.upper() in methods]


def hold(operation, trying, sensible, **more):
    """Ask for what the operation allows, and for what it does not, and hold the answers against the description.

    What JSON Schema cannot say of a query, such as which parameters go together, `sensible` puts right in what the
    operation allows.
    """

    @trying
    @given(case=operation.as_strategy().map(sensible))
    def what_is_allowed(case):
        case.call_and_validate(**more)

    @trying
    @given(case=operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    def what_is_not(case):
        case.call_and_validate(**more)

    what_is_allowed()
    if [*operation.iter_parameters(), *operation.body]:
        what_is_not()


def not_of(operation):
    """The checks that an operation is spared."""
    if operation.method == "get":
        return []
    # That a date lies in the future, a category is none or a draft was changed meanwhile, JSON Schema cannot say.
    spared = [positive_data_acceptance]
    # Each draft of many is refused by itself, within an answer that is a 200.
    return [*spared, negative_data_rejection] if operation.path == "/api/drafts/bulk" else spared


class Sense:
    """Knows the cursors of the record, what is there, and which parameters of a list go together."""

    def __init__(self, record, client):
        self.record = record
        place = entries.Place(DAY, record.uid)
        self.cursors = {"/api/events/": place, "/api/topics/": entries.Name("brexit"), "/api/sources/": place}
        self.cursors["/api/changes/"] = client.get("/api/changes/?limit=1").json()["next"]
        self.cursors["/api/sources/index"] = self.cursors["/api/sources/"] = labels.Place("bbc.example")
        self.places = {"slug": ["brexit", "politics"], "host": ["bbc.example"], "seq": [1, 2, 3, 4], "number": [1, 2]}
        self.places["uid"] = [str(uid) for uid in Event.objects.values_list("uid", flat=True)]

    def __call__(self, case):
        for name in case.path_parameters or {}:
            known = self.places.get(name)
            # Most of what is made up is not there.
            if known and sum(map(ord, repr(case.path_parameters[name]))) % 4:
                case.path_parameters[name] = known[len(repr(case.query)) % len(known)]
        if case.query:
            self.put_right(case.operation.path, case.query)
        return case

    def put_right(self, path, query):
        for name in {"after", "before"} & query.keys():
            if not path.startswith("/api/drafts/"):
                query[name] = self.cursor(path)
        for one, other in [*entries.Events.apart, ("after", "before")]:
            if one in query and other in query:
                del query[other]
        for name, slug in (("category", "politics"), ("topic", "brexit")):
            if name in query and path.startswith("/api/changes/"):
                query[name] = slug
        if "at" in query:
            query["at"] = f"{1000 + len(query['at']) * 30}{query['at'][4:19]}Z"
        if "q" not in query:
            query.pop("page", None)
        if {"from", "to"} <= query.keys():
            query["from"], query["to"] = sorted((query["from"], query["to"]))

    def cursor(self, path):
        if path.startswith("/api/sources/{"):
            return str(entries.Place(DAY, self.record.uid))
        return str(next(cursor for start, cursor in self.cursors.items() if path.startswith(start)))


@pytest.fixture
def sense(record, client):
    return Sense(record, client)


@pytest.fixture
def description(sense, connected):
    description = schemathesis.openapi.from_wsgi("/api/schema/", application)
    # An event that was withdrawn is as well asked for as any other.
    accepted = description.config.checks.positive_data_acceptance
    accepted.expected_statuses = [*accepted.expected_statuses, "410"]
    return description


@pytest.fixture
def bot(record):
    """What the key of a chief's program sends."""
    chief = person("Chief", "chief", is_superuser=True)
    _, token = keys.make("Bot", by=chief, at=timezone.now(), writes=True, publishes=True, user=chief)
    return {"Authorization": f"Bearer {token}"}


def test_reading_is_as_described(description, sense):
    for operation in operations(description, "GET"):
        if not operation.path.startswith("/api/drafts/") and "{format}" not in operation.path:
            hold(operation, QUICK, sense)


def test_drafts_are_as_described(description, sense, bot):
    for operation in operations(description, "GET"):
        if operation.path.startswith("/api/drafts/"):
            hold(operation, QUICK, sense, headers=bot)
    for operation in operations(description, *WRITING):
        hold(operation, QUICK, sense, headers=bot, excluded_checks=not_of(operation))


@pytest.mark.trial
def test_everything_is_as_described_at_length(description, sense, bot):
    for operation in operations(description, "GET", *WRITING):
        hold(operation, LONG, sense, headers=bot, excluded_checks=not_of(operation))


# The document.


def document(client):
    answer = client.get("/api/schema/")
    assert answer["Content-Type"] == "application/vnd.oai.openapi+json"
    return answer.json()


def described_operations(document):
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                yield path, method, operation, item.get("parameters", [])


def refs(value):
    if isinstance(value, dict):
        yield from (held for key, held in value.items() if key == "$ref")
        yield from (ref for held in value.values() for ref in refs(held))
    elif isinstance(value, list):
        yield from (ref for held in value for ref in refs(held))


def test_every_address_of_the_api_is_described_and_nothing_else(client):
    """By the views that the site has: what they take and every ending that they have."""
    own = [pattern for pattern in wire.urlpatterns if pattern.pattern.regex.pattern.startswith("^api/")]
    paths = {path.template: path for path in openapi.paths(own)}
    described = document(client)["paths"]
    assert described.keys() == paths.keys()
    for template, path in paths.items():
        methods = {method for method in path.view.http_method_names if hasattr(path.view, method)}
        assert set(described[template]) - {"parameters"} == methods - {"head", "options"}, template
        places = described[template].get("parameters", [])
        endings = [place["schema"]["enum"] for place in places if place["name"] == "format"]
        assert endings == ([list(path.formats)] if path.formats else [])


def test_the_texts_are_of_addresses_that_there_are():
    found = {name for path in openapi.paths(wire.urlpatterns) for name in (path.base, path.template)}
    assert openapi.READ.keys() <= found
    assert {base for base, _method in openapi.ACTS} <= found


def test_parameters_are_those_that_views_declare(client):
    own = {path.template: path.view for path in openapi.paths(wire.urlpatterns)}
    for path, method, operation, _places in described_operations(document(client)):
        if method == "get":
            told = {parameter["name"]: parameter["schema"] for parameter in operation["parameters"]}
            declared = getattr(own[path], "query", {})
            assert told == {name: parameter.schema for name, parameter in declared.items()}


def test_it_is_whole(client):
    told = document(client)
    assert told["openapi"].startswith("3.1.")
    for ref in refs(told):
        part = told
        for name in ref.removeprefix("#/").split("/"):
            part = part[name]
    for schema in told["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    ids = [operation["operationId"] for _path, _method, operation, _places in described_operations(told)]
    assert len(ids) == len(set(ids))
    for path, _method, operation, places in described_operations(told):
        named = {place["name"] for place in [*places, *operation["parameters"]] if place["in"] == "path"}
        assert {f"{{{name}}}" for name in named} == set(re.findall(r"{\w+}", path))
        assert {"400", "429"} <= operation["responses"].keys()


def test_problems_are_described_as_problems(client):
    """4.3."""
    for _path, _method, operation, _places in described_operations(document(client)):
        refused = [answer for status, answer in operation["responses"].items() if status >= "400"]
        types = {media_type for answer in refused for media_type in answer["content"]}
        assert types <= {"application/problem+json", "application/problem+xml", "text/html"}


def test_whatever_reads_a_body_says_how_bodies_are_refused(client):
    for _path, method, operation, _places in described_operations(document(client)):
        if method != "get":
            assert {"411", "413", "415"} <= operation["responses"].keys()


# The page.


def page(client):
    answer = client.get("/api/docs/")
    assert answer.status_code == 200
    assert "script-src 'self'" in answer["Content-Security-Policy"]
    return html.fromstring(answer.content.decode())


def test_the_page_lists_every_operation_with_its_parameters(client):
    tree = page(client)
    for path, method, operation, places in described_operations(document(client)):
        (shown,) = tree.xpath(f"//details[@id='{operation['operationId']}']")
        assert path in shown.text_content()
        assert operation["summary"] in shown.text_content()
        (form,) = shown.iter("form")
        assert (form.get("data-method"), form.get("data-path")) == (method.upper(), path)
        fields = {field.get("name") for field in form.xpath(".//input|.//select")}
        assert fields == {parameter["name"] for parameter in [*places, *operation["parameters"]]}
        assert [term.text_content() for term in shown.iter("dt")] == list(operation["responses"])


def test_the_page_has_no_script_of_others_and_none_within(client):
    scripts = list(page(client).iter("script"))
    assert scripts
    assert all(script.get("src", "").startswith("/static/") and not script.text for script in scripts)


def test_each_field_of_the_page_has_a_label(client):
    tree = page(client)
    for field in tree.xpath("//main//input|//main//select|//main//textarea"):
        assert len(tree.xpath(f"//label[@for='{field.get('id')}']")) == 1
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))


def test_what_the_page_offers_without_a_script_can_be_sent(client):
    """A form that a browser sends by itself names every field, and empty ones are answered with what to do."""
    for form in page(client).xpath("//main//form[@action]"):
        assert client.get(form.get("action")).status_code in (200, 401)
