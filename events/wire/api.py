"""Where the API begins: its index, its description for programs, and a page for people to try it."""

from itertools import groupby

from django.conf import settings
from django.urls import re_path
from rest_framework.renderers import BaseRenderer

from events import addresses
from events.formats import as_json, listed
from events.http import HTMLRenderer, Page, RecordView, page_in_html
from events.wire import changes, entries, labels, openapi, writing
from events.wire.resources import Resource

PARTS = [
    ("docs", addresses.api("docs", ""), "A page to try the API."),
    ("schema", addresses.api("schema", ""), "The description of the API (OpenAPI 3.1)."),
    ("events", addresses.api("events", ""), "Entries, by date, category, topic, story or words."),
    ("topics", addresses.api("topics", ""), "Topics that have entries."),
    ("categories", addresses.api("categories", ""), "The categories, in the desk's order."),
    ("sources", addresses.api("sources", ""), "Hosts that entries cite."),
    ("changes", addresses.changes(), "The log: every public act, in order. Follow it to miss nothing."),
    ("head", addresses.changes_head(), "The end of the log."),
    ("drafts", addresses.api("drafts", ""), "For the newsroom's own programs."),
]


class Index(Resource):
    def page(self, at):
        shape = listed.index(settings.NEWSDESK_TITLE, settings.NEWSDESK_LICENSE, PARTS)
        links = [("service-desc", _url("schema"), {"type": openapi.MEDIA_TYPE}), ("service-doc", _url("docs"))]
        return Page("index", shape, links, indexed=False)


class OpenAPIRenderer(BaseRenderer):
    media_type = openapi.MEDIA_TYPE
    format = "openapi"
    problem_type = "application/problem+json"

    def render(self, page, accepted_media_type=None, renderer_context=None):
        return as_json.render(page.root, page.shape)


class Schema(Resource):
    renderer_classes = [OpenAPIRenderer]

    def page(self, at):
        return Page("openapi", openapi.document(described()), canonical=_url("schema"), indexed=False)


class DocsRenderer(HTMLRenderer):
    def render(self, page, accepted_media_type=None, renderer_context=None):
        template = "api/docs.html" if page.status == 200 else "pages/problem.html"
        return page_in_html(page, template, **page.beside())


class Docs(RecordView):
    renderer_classes = [DocsRenderer]

    def page(self, at):
        document = openapi.document(described())
        shape = {"url": _url("docs"), "title": document["info"]["title"], "groups": _groups(document)}
        paragraphs = _plain(document["info"]["description"]).split("\n\n")
        return Page("docs", shape, beside=lambda: {"paragraphs": paragraphs}, indexed=False)


def described():
    """The addresses of the API. Asked for once all modules are there, this one too."""
    modules = (entries, labels, changes, writing)
    return [*urlpatterns, *(pattern for module in modules for pattern in module.urlpatterns)]


def _groups(document):
    """The operations as the page shows them, by the part of the API that they belong to."""
    operations = [
        _operation(path, method, item.get("parameters", []), operation, document)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    ]
    order = [tag["name"] for tag in document["tags"]]
    operations.sort(key=lambda operation: order.index(operation["group"]))
    return [(name, list(group)) for name, group in groupby(operations, key=lambda operation: operation["group"])]


def _operation(path, method, places, operation, document):
    body = operation.get("requestBody", {}).get("content", {}).get(openapi.JSON)
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "path": path,
        # Where a form can be sent to without a script.
        "action": path if method == "get" and "{" not in path else "",
        "group": operation["tags"][0],
        "summary": operation["summary"],
        "needs_key": {} not in operation["security"],
        "parameters": [_field(parameter) for parameter in [*places, *operation["parameters"]]],
        "body": _members(body["schema"], document) if body else None,
        "answers": [(status, _plain(answer["description"])) for status, answer in operation["responses"].items()],
    }


def _field(parameter):
    schema = parameter["schema"]
    return {
        "name": parameter["name"],
        "place": parameter["in"],
        "text": _plain(parameter["description"]),
        "required": parameter.get("required", False),
        "choices": schema.get("enum", []),
        "type": _input(schema),
        "least": schema.get("minimum"),
        "most": schema.get("maximum"),
        "default": schema.get("default"),
    }


def _input(schema):
    if schema.get("type") == "integer":
        return "number"
    return "date" if schema.get("format") == "date" else "text"


def _members(schema, document):
    name = schema["$ref"].rpartition("/")[2]
    return ", ".join(document["components"]["schemas"][name]["properties"])


def _plain(text):
    """Markdown, of which the description has no more than code, as the page shows it."""
    return text.replace("`", "")


def _url(part):
    return addresses.absolute(addresses.api(part, ""))


urlpatterns = [
    re_path(r"^api/\Z", Index.as_view(), name="api"),
    re_path(r"^api/schema/\Z", Schema.as_view(), name="api_schema"),
    re_path(r"^api/docs/\Z", Docs.as_view(), {"format": "html"}, name="api_docs"),
]
