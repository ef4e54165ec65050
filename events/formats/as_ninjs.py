"""An event's shape as ninjs 3.1, the IPTC's news in JSON (its JSON Schema admits no key of one's own)."""

from events import addresses
from events.formats import as_json, newswire

SCHEMA = "http://www.iptc.org/std/ninjs/ninjs-schema_3.1.json#"
STANDARD = {"name": "ninjs", "version": "3.1", "schema": SCHEMA}


def render(shape: dict) -> bytes:
    """An event or one of its versions, as `shapes.event` and `shapes.edition` tell it.

    Without a text it is canceled. There is no key for the day that an event happened on: it is among the subjects.
    """
    item = _item(shape["uid"], shape["version"], shape["issued"], _alternatives(shape))
    item["firstCreated"] = shape["published"]
    text = _text(shape) if newswire.is_usable(shape) else {"pubStatus": "canceled"}
    note = newswire.note(shape)
    return as_json.render("event", item | text | ({"edNote": note} if note else {}))


def kill(uid: str, version: int, issued: str, reason: str, url: str, *, label: str = "Withdrawn") -> bytes:
    """The notice that a version, `issued` at this RFC 3339 time, takes from the public what was there; it has no text.

    `url` holds none either. `label` says what was done.
    """
    item = _item(uid, version, issued, [{"role": "event", "value": url}])
    return as_json.render("event", item | {"pubStatus": "canceled", "edNote": newswire.told_of(label, reason)})


def _item(uid, version, issued, alternatives):
    return {
        "uri": newswire.identifier(uid),
        "standard": STANDARD,
        "type": "text",
        "representationType": "full",
        "version": str(version),
        "versionCreated": issued,
        "altIds": [{"role": "uid", "value": uid}, *alternatives],
    }


def _alternatives(shape):
    return [
        {"role": "event", "value": addresses.absolute(addresses.uid(shape["uid"]))},
        {"role": "permalink", "value": newswire.permalink(shape)},
    ]


def _text(shape):
    return {
        "pubStatus": "usable",
        "language": shape["language"],
        "headlines": [{"role": "main", "contentType": "text/plain", "value": shape["headline"]}],
        "bodies": _bodies(shape),
        "subjects": list(_subjects(shape)),
        "infoSources": list(_sources(shape)),
        "associations": [
            {"name": entry["headline"], "uri": entry["url"], "rel": "related", "language": entry["language"]}
            for entry in shape["related"]
        ],
        **_rights(shape),
    }


def _bodies(shape):
    """The same text twice, as it is read and as it was written; an entry may have no more than a headline."""
    if not shape["body"]:
        return []
    texts = [("text/html", shape["body_html"]), ("text/markdown", shape["body"])]
    words = len(shape["body"].split())
    return [
        {"role": "main", "contentType": type, "charCount": len(text), "wordCount": words, "value": text}
        for type, text in texts
    ]


def _subjects(shape):
    for name, url, relation in newswire.topics(shape):
        yield {"name": name, "rel": relation, "uri": url}
    if shape["category"]:
        url = newswire.category_url(shape["category"])
        yield {"name": shape["category"]["name"], "rel": "category", "uri": url}
    yield {"name": shape["date"], "rel": "date", "uri": newswire.day_url(shape)}


def _sources(shape):
    for source in shape["sources"]:
        yield {
            "name": source["name"],
            "role": f"source-{source['position']}",
            "uri": newswire.uri(source["url"]),
            # As it is written in the document that the digest is over.
            "literal": source["url"],
        }
    if shape["origin"]:
        origin = shape["origin"]
        yield {"name": origin["name"], "role": "origin", "uri": newswire.uri(origin["url"]), "literal": origin["url"]}


def _rights(shape):
    rights = {}
    if shape["origin"]:
        rights["copyrightNotice"] = newswire.notice_of_origin(shape)
    if shape["license"]:
        rights["usageTerms"] = shape["license"]
    if newswire.is_url(shape["license"]):
        rights["rightsInfo"] = {"linkedRights": newswire.uri(shape["license"])}
    return rights
