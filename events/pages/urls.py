"""The addresses of the pages for readers. Patterns with `format` answer in it; those without negotiate."""

from django.urls import re_path

from events import addresses
from events.addresses import FORMAT, SLUG, UID, VERSION, YEAR
from events.pages import views

# As we spell them. What differs is redirected to, by the patterns at the end.
MONTH = r"(?P<month>0[1-9]|1[0-2])"
DAY = r"(?P<day>[1-9]|[12][0-9]|3[01])"
HTML = {"format": "html"}
DATE = f"news/{YEAR}/{MONTH}/{DAY}"
# Other spellings of a date, and the slash at the end of what follows it.
MONTH_RESPELLED = rf"news/{YEAR}/{addresses.MONTH}(?P<rest>/?|/index\.[^/]*/?)"
DAY_RESPELLED = rf"news/{YEAR}/{addresses.MONTH}/{addresses.DAY}(?P<rest>(?:/[^/]*)?/?)"

app_name = "pages"
urlpatterns = [
    re_path(r"^\Z", views.Front.as_view(), name="home"),
    re_path(rf"^index\.{FORMAT}\Z", views.Front.as_view(), name="front"),
    re_path(rf"^news/index\.{FORMAT}\Z", views.Years.as_view(), name="years"),
    re_path(rf"^news/{YEAR}/index\.{FORMAT}\Z", views.Year.as_view(), name="year"),
    re_path(rf"^news/{YEAR}/{MONTH}/index\.{FORMAT}\Z", views.Month.as_view(), name="month"),
    re_path(rf"^{DATE}/\Z", views.Day.as_view(), name="neutral_day"),
    re_path(rf"^{DATE}/index\.{FORMAT}\Z", views.Day.as_view(), name="day"),
    re_path(rf"^{DATE}/{SLUG}\Z", views.Event.as_view(), name="neutral_event"),
    re_path(rf"^{DATE}/{SLUG}\.{FORMAT}\Z", views.Event.as_view(), name="event"),
    re_path(rf"^{DATE}/{SLUG}\.{VERSION}\.{FORMAT}\Z", views.NumberedEdition.as_view(), name="edition"),
    re_path(rf"^events/{UID}\Z", views.Uid.as_view(), HTML, name="uid"),
    re_path(r"^schemas/(?P<name>[a-z]+\.xsd)\Z", views.Schema.as_view(), {"format": "xml"}, name="xsd"),
    re_path(r"^schemas/(?P<name>[a-z]+\.json)\Z", views.Schema.as_view(), {"format": "json"}, name="json_schema"),
    re_path(r"^problems/(?P<name>[a-z-]+)\Z", views.ProblemType.as_view(), HTML, name="problem"),
    # Other spellings of the above.
    re_path(r"^news/?\Z", views.Respelled.as_view(), HTML),
    re_path(rf"^news/{YEAR}/?\Z", views.Respelled.as_view(), HTML),
    re_path(rf"^{MONTH_RESPELLED}\Z", views.Respelled.as_view(), HTML),
    re_path(rf"^{DAY_RESPELLED}\Z", views.Respelled.as_view(), HTML),
    re_path(rf"^events/{UID}/\Z", views.RespelledUid.as_view(), HTML),
]
