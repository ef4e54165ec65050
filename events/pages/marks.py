"""The site's mark, at one address: the operator's own drawing, or the first letter of the site's name."""

from django.conf import settings
from django.http import HttpResponse
from django.utils.html import format_html

from events.http import RecordView, etag

LETTER = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="3" fill="#8c1d18"/>'
    '<text x="16" y="24" text-anchor="middle" font-family="Iowan Old Style, Palatino, Noto Serif, Georgia, serif" '
    'font-size="23" font-weight="700" fill="#fff">{}</text></svg>'
)


class Mark(RecordView):
    def get(self, request, format):
        svg = (settings.NEWSDESK_MARK or drawn(settings.NEWSDESK_TITLE)).encode()
        return HttpResponse(svg, headers={"Content-Type": "image/svg+xml", "ETag": etag(svg)})


def drawn(title: str) -> str:
    """A mark of the first letter or digit of the title."""
    letter = next(filter(str.isalnum, title), title[:1])
    return format_html(LETTER, letter.upper())
