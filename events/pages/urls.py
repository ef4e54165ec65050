"""The addresses of the pages for readers. Patterns with `format` answer in it; those without negotiate."""

from django.urls import re_path

from events import addresses
from events.addresses import COMPARED, FORMAT, MOMENT, SLUG, UID, VERSION, YEAR
from events.pages import comparing, correcting, marks, past, searching, timelines, views

# As we spell them. What differs is redirected to, by the patterns at the end.
MONTH = r"(?P<month>0[1-9]|1[0-2])"
DAY = r"(?P<day>[1-9]|[12][0-9]|3[01])"
HTML = {"format": "html"}
DATE = f"news/{YEAR}/{MONTH}/{DAY}"
# Other spellings of a date, and the slash at the end of what follows it.
MONTH_RESPELLED = rf"news/{YEAR}/{addresses.MONTH}(?P<rest>/?|/index\.[^/]*/?)"
DAY_RESPELLED = rf"news/{YEAR}/{addresses.MONTH}/{addresses.DAY}(?P<rest>(?:/[^/]*)?/?)"

app_name = "pages"

# What has a past: each is also there below the moment at which the public saw it so.
WITH_A_PAST = [
    ("home", r"", views.Front),
    ("front", rf"index\.{FORMAT}", views.Front),
    ("years", rf"news/index\.{FORMAT}", views.Years),
    ("year", rf"news/{YEAR}/index\.{FORMAT}", views.Year),
    ("month", rf"news/{YEAR}/{MONTH}/index\.{FORMAT}", views.Month),
    ("neutral_day", rf"{DATE}/", views.Day),
    ("day", rf"{DATE}/index\.{FORMAT}", views.Day),
    ("neutral_event", rf"{DATE}/{SLUG}", views.Event),
    ("event", rf"{DATE}/{SLUG}\.{FORMAT}", views.Event),
    ("topics", rf"topics/index\.{FORMAT}", timelines.Topics),
    ("topic", rf"topics/{SLUG}/index\.{FORMAT}", timelines.Topic),
    ("category", rf"categories/{SLUG}/index\.{FORMAT}", timelines.Category),
]
RESPELLED = [r"news/?", rf"news/{YEAR}/?", MONTH_RESPELLED, DAY_RESPELLED]

urlpatterns = [
    *(re_path(rf"^{path}\Z", view.as_view(), name=name) for name, path, view in WITH_A_PAST),
    *(re_path(rf"^as-of/{MOMENT}/{path}\Z", view.as_view(), name=f"past_{name}") for name, path, view in WITH_A_PAST),
    re_path(r"^as-of/\Z", past.Chosen.as_view(), HTML, name="as_of"),
    re_path(rf"^{DATE}/{SLUG}\.{VERSION}\.{FORMAT}\Z", views.NumberedEdition.as_view(), name="edition"),
    re_path(rf"^{DATE}/{SLUG}\.{COMPARED}\.{FORMAT}\Z", comparing.Comparison.as_view(), name="comparison"),
    re_path(rf"^events/{UID}\Z", views.Uid.as_view(), HTML, name="uid"),
    re_path(rf"^events/{UID}/changes\Z", comparing.Chosen.as_view(), HTML, name="chosen_versions"),
    re_path(rf"^search/index\.{FORMAT}\Z", searching.Search.as_view(), name="search"),
    re_path(rf"^corrections/index\.{FORMAT}\Z", correcting.Corrections.as_view(), name="corrections"),
    re_path(rf"^corrections/policy\.{FORMAT}\Z", correcting.Policy.as_view(), name="policy"),
    re_path(r"^mark\.svg\Z", marks.Mark.as_view(), HTML, name="mark"),
    re_path(r"^schemas/(?P<name>[a-z]+\.xsd)\Z", views.Schema.as_view(), {"format": "xml"}, name="xsd"),
    re_path(r"^schemas/(?P<name>[a-z]+\.json)\Z", views.Schema.as_view(), {"format": "json"}, name="json_schema"),
    re_path(r"^problems/(?P<name>[a-z-]+)\Z", views.ProblemType.as_view(), HTML, name="problem"),
    # Other spellings of the above.
    *(re_path(rf"^{path}\Z", views.Respelled.as_view(), HTML) for path in RESPELLED),
    *(re_path(rf"^as-of/{MOMENT}/{path}\Z", views.Respelled.as_view(), HTML) for path in RESPELLED),
    re_path(rf"^events/{UID}/\Z", views.RespelledUid.as_view(), HTML),
]
