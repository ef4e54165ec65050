"""How addresses are made and read, and which spellings lead to ours."""

import datetime

import pytest
from django.conf import settings
from django.urls import Resolver404, resolve

from events import addresses

DATE = datetime.date(2017, 2, 5)


def test_a_month_has_a_leading_zero_and_a_day_has_none():
    assert addresses.day(DATE, "md") == "/news/2017/02/5/index.md"
    assert addresses.event(DATE, "slug", "json") == "/news/2017/02/5/slug.json"
    assert addresses.edition(DATE, "slug", 2) == "/news/2017/02/5/slug.v2.html"


def test_an_address_is_ascii_whatever_the_slug():
    assert addresses.neutral_event(DATE, "五号") == "/news/2017/02/5/%E4%BA%94%E5%8F%B7"


def test_a_url_is_the_sites_own():
    assert addresses.absolute("/") == settings.NEWSDESK_URL + "/"


@pytest.mark.parametrize("digits", [("2017", "2", "30"), ("0000", "1", "1"), ("2017", "13", "1"), ("2017", "0", "1")])
def test_digits_outside_the_calendar_are_no_date(digits):
    assert addresses.parse_date(*digits) is None


@pytest.mark.parametrize(
    ("moment", "prefix"),
    [
        (datetime.datetime(2018, 2, 6, 13, 49, 30, 999_999, datetime.UTC), "/as-of/20180206T134930Z"),
        (datetime.datetime.fromisoformat("2018-02-06T13:49:30+01:00"), "/as-of/20180206T124930Z"),
        (datetime.datetime(1000, 1, 1, tzinfo=datetime.UTC), "/as-of/10000101T000000Z"),
    ],
)
def test_a_moment_is_written_in_whole_seconds_of_utc_and_read_again(moment, prefix):
    assert addresses.as_of(moment) == prefix
    assert addresses.parse_moment(prefix.rpartition("/")[2]) == moment.replace(microsecond=0)


@pytest.mark.parametrize("text", ["20180230T000000Z", "20180206T240000Z", "20180206T000060Z", "20181306T000000Z"])
def test_digits_outside_the_calendar_are_no_moment(text):
    assert addresses.parse_moment(text) is None


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/index.json",
        "/news/index.html",
        "/news/2017/02/index.md",
        "/news/2017/02/25/",
        "/news/2017/02/25/slug",
        "/news/2017/02/25/slug.xml",
        "/topics/index.html?letter=a",
        "/topics/slug/index.html",
        "/categories/s/index.json",
    ],
)
def test_a_page_has_a_past_and_leads_there(path):
    resolve("/as-of/20180206T134930Z" + path.partition("?")[0])
    assert addresses.into_past(path, "/past") == f"/past{path}"
    assert addresses.into_past(settings.NEWSDESK_URL + path, "/past") == f"{settings.NEWSDESK_URL}/past{path}"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/news/2017/02/25/slug.v1.html",
        "/news/2017/02/25/slug.v1-v2.html",
        "/search/index.html",
        "/events/x",
        "/desk/",
        "https://other.example/",
        f"{settings.NEWSDESK_URL}.other.example/news/index.html",
        "/corrections/index.html",
    ],
)
def test_what_has_no_past_stays_where_it_is(path):
    assert addresses.into_past(path, "/past") == path


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/", "home"),
        ("/index.md", "front"),
        ("/news/index.json", "years"),
        ("/news/2017/index.xml", "year"),
        ("/news/2017/02/index.html", "month"),
        ("/news/2017/02/25/", "neutral_day"),
        ("/news/2017/02/25/index.html", "day"),
        ("/news/2017/02/25/slug", "neutral_event"),
        ("/news/2017/02/25/slug.html", "event"),
        ("/news/2017/02/25/slug.v12.json", "edition"),
        ("/news/2017/02/25/slug.v1-v12.json", "comparison"),
        ("/as-of/", "as_of"),
        ("/as-of/20180206T134930Z/", "past_home"),
        ("/as-of/20180206T134930Z/news/2017/02/25/slug.html", "past_event"),
    ],
)
def test_each_address_is_of_one_thing(path, name):
    assert resolve(path).url_name == name


@pytest.mark.parametrize(
    "path",
    [
        "/index.foo",
        "/index.html\n",
        "/news/2017/02/25/slug\n",
        "/news/2017/02/25/sl\x00ug.html",
        "/news/2017/index.html/",
        "/news/2017/02/25/a/b",
        "/news/٢٠١٧/02/25/slug.html",
        "/events/1",
    ],
)
def test_what_is_no_address_is_not_read_as_one(path):
    with pytest.raises(Resolver404):
        match = resolve(path)
        assert match.func.view_class.__name__ == "Respelled"
        raise Resolver404


@pytest.mark.parametrize(
    ("spelled", "ours"),
    [
        ("/news", "/news/index.html"),
        ("/news/", "/news/index.html"),
        ("/news/2017", "/news/2017/index.html"),
        ("/news/2017/", "/news/2017/index.html"),
        ("/news/2017/2", "/news/2017/02/index.html"),
        ("/news/2017/02/", "/news/2017/02/index.html"),
        ("/news/2017/2/index.json", "/news/2017/02/index.json"),
        ("/news/2017/02/25", "/news/2017/02/25/"),
        ("/news/2017/2/05/", "/news/2017/02/5/"),
        ("/news/2017/2/05", "/news/2017/02/5/"),
        ("/news/2017/02/05/index.md", "/news/2017/02/5/index.md"),
        ("/news/2017/2/25/slug.v2.xml", "/news/2017/02/25/slug.v2.xml"),
        ("/news/2017/02/25/slug/", "/news/2017/02/25/slug"),
        ("/news/2017/02/25/slug.html/", "/news/2017/02/25/slug.html"),
        ("/news/2017/2/25/%E4%BA%94", "/news/2017/02/25/%E4%BA%94"),
        (
            "/events/5f0c2f5e-2f0b-4b4e-9d0e-0d6f3d1c2b3a/",
            "/events/5f0c2f5e-2f0b-4b4e-9d0e-0d6f3d1c2b3a",
        ),
    ],
)
def test_other_spellings_redirect_for_good_without_a_look_at_the_record(client, spelled, ours):
    response = client.get(spelled)
    assert (response.status_code, response["Location"]) == (301, ours)
    assert response["Cache-Control"].startswith("public, max-age=")


@pytest.mark.parametrize("path", ["/news/2017/13/", "/news/2017/02/00/slug", "/news/2017/02/25/slug.foo"])
def test_a_redirect_ends_where_there_is_nothing(client, path):
    response = client.get(path)
    while response.status_code == 301:
        assert response["Location"] != path
        path = response["Location"]
        response = client.get(path)
    assert response.status_code == 404
