"""The suite's browser: people at a real server, each in a Chromium of their own.

What a page says to the console, what it asks for in vain and what its policy refuses fails the test.
"""

import re
import shutil
import threading
import urllib.error
import urllib.request

import pytest
from django.conf import settings as site
from django.core.cache import cache
from django.db import connection
from django.test import Client
from playwright.sync_api import expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FORMATS = ("html", "json", "xml", "md")
PASSWORD = "a long enough password"
# Tests share a machine with others; nothing waits for so long unless it fails.
PATIENCE = 15_000

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def chromium(django_db_setup, django_db_blocker):
    """For one module: its event loop would trouble tests that start processes."""
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        pytest.fail("Tests of the desk need Chromium on the PATH (Debian: apt install chromium).")
    at_first = connection._test_serialized_contents
    with pytest.MonkeyPatch.context() as environment, sync_playwright() as playwright:
        # Playwright runs a loop in this thread, which Django takes for asynchronous code: it has to be told that it may
        # use the database, and makes another connection, which has to know what the database held at first.
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        connection._test_serialized_contents = at_first
        browser = playwright.chromium.launch(executable_path=path)
        yield browser
        browser.close()
        with django_db_blocker.unblock():
            connection.close()


@pytest.fixture(scope="module")
def server(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        running = LiveServer("127.0.0.1")
        yield running.url
        running.stop()


@pytest.fixture
def sit_down(chromium, server, db, settings):
    """`sit_down(user)` is a seat at the desk for someone who has logged in, `sit_down()` for anybody."""
    settings.NEWSDESK_URL = server
    # Answers are kept under the state of the record, which begins anew with each test.
    cache.clear()
    seats = []

    def take_a_seat(user=None, **options):
        seats.append(Seat(chromium.new_context(base_url=server, locale="en-GB", **options), server))
        if user:
            seats[-1].let_in(user)
        return seats[-1]

    yield take_a_seat
    for seat in seats:
        seat.context.close()
    _wait_for_answers()
    assert [trouble for seat in seats for trouble in seat.troubles] == []


def _wait_for_answers():
    """Until the server's threads have come to an end, so that none meets the database being emptied."""
    for thread in threading.enumerate():
        if "process_request_thread" in thread.name:
            thread.join(PATIENCE / 1000)


class Seat:
    """One person's browser. `troubles` is what it complained of; `expects` are the statuses of refusals to come."""

    def __init__(self, context, url):
        self.context, self.url = context, url
        self.troubles, self.expects, self.answers = [], set(), []
        context.set_default_timeout(PATIENCE)
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.troubles.append(f"error: {error.error}"))
        context.on("requestfailed", self._miss)
        context.on("response", self._look_at)
        context.on("dialog", self._answer)
        self.page = context.new_page()

    def let_in(self, user):
        """Log in without the form."""
        client = Client()
        client.force_login(user)
        name = site.SESSION_COOKIE_NAME
        cookie = {"name": name, "value": client.cookies[name].value, "domain": "127.0.0.1", "path": "/desk/"}
        self.context.add_cookies([cookie])

    def log_in(self, name):
        """By the form that is on the page, and by keyboard."""
        self.page.get_by_label("Username").focus()
        self.type(name)
        self.press("Tab")
        self.type(PASSWORD)
        self.press("Enter")

    def go(self, path):
        return self.page.goto(path)

    def type(self, text):
        self.page.keyboard.type(text)

    def press(self, *keys):
        # What a key does is said by scripts that run once the page is read.
        self.page.wait_for_load_state()
        for key in keys:
            self.page.keyboard.press(key)

    def field(self, name):
        """The field of the entry form that is called so there."""
        return self.page.locator(f"#entry-form [name={name}]")

    def sources(self):
        """The rows of sources that are not blank, as (name, address)."""
        names, urls = ([one.input_value() for one in self.field(f"source_{part}").all()] for part in ("name", "url"))
        return [pair for pair in zip(names, urls, strict=True) if any(pair)]

    def choose_topic(self, typed, name):
        """Type into the box of topics, and take the one that it offers by this name."""
        self.page.locator("#id_topics + .select2 .select2-search__field").click()
        self.type(typed)
        self.page.locator(".select2-results__option", has_text=re.compile(f"^{re.escape(name)}$")).click()

    def button(self, name):
        return self.page.get_by_role("button", name=name, exact=True)

    def link(self, name):
        return self.page.get_by_role("link", name=name, exact=True)

    def sees(self, *texts):
        for text in texts:
            expect(self._shown(text).first).to_be_visible()

    def misses(self, *texts):
        for text in texts:
            expect(self._shown(text)).to_have_count(0)

    def _shown(self, text):
        return self.page.get_by_text(text).filter(visible=True)

    def _hear(self, message):
        # What was not found or refused is judged by its status.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.troubles.append(f"console: {message.text}")

    def _miss(self, request):
        # Leaving a page ends what its scripts are asking.
        if request.failure != "net::ERR_ABORTED":
            self.troubles.append(f"failed: {request.url} {request.failure}")

    def _look_at(self, response):
        if response.status >= 400 and response.status not in self.expects:
            self.troubles.append(f"{response.status}: {response.request.method} {response.url}")
        is_page = response.headers.get("content-type", "").startswith("text/html")
        if is_page and "script-src 'self'" not in response.headers.get("content-security-policy", ""):
            self.troubles.append(f"no policy: {response.url}")

    def _answer(self, dialog):
        if dialog.type == "beforeunload":
            dialog.accept()
        elif self.answers:
            dialog.accept(self.answers.pop(0))
        else:
            self.troubles.append(f"dialog: {dialog.message}")
            dialog.dismiss()


def read(url):
    """What anybody gets at a public address, no cache between: status and text."""
    try:
        with urllib.request.urlopen(url) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def read_all(url):
    """The status and the text in each format, `url` being that of the page."""
    return {name: read(f"{url.removesuffix('.html')}.{name}") for name in FORMATS}
