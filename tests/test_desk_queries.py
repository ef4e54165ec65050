"""What the desk's pages ask of the database: little, and no more when there is more of everything."""

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench import desk
from events import previews
from events.models import Category, Event, Presence
from tests.words import person, revise

pytestmark = pytest.mark.django_db

MOST = 25
FEW, MANY = 3, 40


def grow(count):
    """More of everything that a page shows rows of."""
    Category.objects.named([f"Section {count} {number}" for number in range(count)])
    desk.work(copies=count, saves=count)
    often = Event.objects.get(headline=desk.OFTEN)
    for number in range(count):
        reporter = person("Reporter", name=f"reporter {count} {number}")
        Presence.objects.create(event=often, user=reporter)
        previews.make(revise(Event(), by=reporter, headline="Ships wait.", date=often.date), by=reporter, hours=1)
    name_more_topics_and_sources(often, count)


def name_more_topics_and_sources(event, count):
    named = [f"{desk.STORY} {number}" for number in range(count)]
    revise(event, topics=named, sources=[(f"Paper {number}", "https://paper.example/") for number in range(count)])


def asked():
    """{kind of page: (status, number of queries)}"""
    places = desk.places(topic=desk.STORY, category=Category.objects.first().name)
    return {kind: cost(*request) for kind, request in desk.kinds(places).items()}


def cost(name, address):
    client = Client(raise_request_exception=False)
    client.force_login(desk.User.objects.get(username=name))
    with CaptureQueriesContext(connection) as captured:
        status = client.get(address).status_code
    return status, len(captured)


def test_every_page_takes_few_queries_and_no_more_for_more_rows(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    call_command("make_logins", verbosity=0)
    grow(FEW)
    few = asked()
    assert {kind: status for kind, (status, _queries) in few.items() if status != 200} == {}
    grow(MANY - FEW)
    many = asked()
    assert {kind: paid for kind, paid in many.items() if paid > few[kind]} == {}
    assert {kind: queries for kind, (_status, queries) in many.items() if queries > MOST} == {}
