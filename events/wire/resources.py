"""What addresses of the API have in common: keys, how often one may ask, and parameters that are read before use."""

import logging
import re
from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.throttling import SimpleRateThrottle

from events import keys
from events.http import JSONRenderer, Problem, RecordView, XMLRenderer, client_ip

logger = logging.getLogger(__name__)

CHALLENGE = 'Bearer realm="newsdesk"'
_BEARER = re.compile(r"[Bb]earer +([A-Za-z0-9_.~+/=-]{1,200})")


class Parameter(NamedTuple):
    """A parameter of a query. `read` makes its value of the text; a ValueError says what it takes.

    `schema` is its JSON Schema, for the description of the API; `text` says there what it is for.
    """

    read: Callable[[str], object]
    schema: dict
    text: str


class KeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer nd_…` (RFC 6750). Everyone reads without one; a key that opens nothing is refused."""

    def authenticate(self, request):
        header = request.headers.get("Authorization")
        if header is None:
            return None
        bearer = _BEARER.fullmatch(header)
        key = keys.recognized(bearer[1], request.parser_context["view"].now) if bearer else None
        if key is None:
            raise AuthenticationFailed("This key opens nothing: it is unknown, has expired or was revoked.")
        return key.user, key

    def authenticate_header(self, request):
        return CHALLENGE


class Throttle(SimpleRateThrottle):
    """So many requests a minute from one key, or from one address without a key. Counted in the cache.

    A cache that does not answer refuses nobody.
    """

    scope = "api"

    def get_rate(self):
        return f"{settings.NEWSDESK_RATE}/minute"

    def allow_request(self, request, view):
        if request.auth:
            self.num_requests = settings.NEWSDESK_KEY_RATE
        try:
            return super().allow_request(request, view)
        except Exception:  # each backend of the cache has errors of its own
            logger.warning("Requests are not counted: the cache does not answer.", exc_info=True)
            return True

    def get_cache_key(self, request, view):
        who = f"key:{request.auth.pk}" if request.auth else f"ip:{client_ip(request)}"
        return f"throttle:{who}"


class Resource(RecordView):
    """An address of the API that is read. Its format is negotiated, or at the end of the address.

    `query` declares its parameters by name; `asked` has their values, None for one that was not given.
    """

    renderer_classes = [JSONRenderer, XMLRenderer]
    authentication_classes = [KeyAuthentication]
    throttle_classes = [Throttle]
    query: dict[str, Parameter] = {}

    @property
    def parameters(self):
        return frozenset(self.query)

    @cached_property
    def asked(self):
        return {name: self._read(name, parameter) for name, parameter in self.query.items()}

    def _read(self, name, parameter):
        text = self.request.GET.get(name)
        if text is None:
            return None
        try:
            return parameter.read(text)
        except ValueError as error:
            raise Problem(400, f"“{name}”: {error}") from None


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """Reads a whole number between these, written in digits."""

    def read(text):
        if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise ValueError(f"Give a whole number from {least} to {most}.")
        return int(text)

    return read
