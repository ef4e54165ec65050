"""Requests of ours to addresses that others gave us: where they may lead, and for how long they may last.

A name is resolved once, every address that it has must be one of the public internet, and the connection is made to
exactly that address: a second resolution could answer otherwise. Only at ports where a web server may be. Redirects are
not followed, and no proxy is asked.
"""

import http.client
import io
import ipaddress
import socket
import ssl
import time
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import SplitResult, quote, urlsplit

from django.conf import settings

from events import texts

USER_AGENT = "Newsdesk"
MAX_ANSWER = 64 * 1024
PORTS = {"http": 80, "https": 443}
# Below are those of mail, names and other services, which would read our request as theirs.
FIRST_FREE_PORT = 1024

# What an IPv6 network translates to IPv4 with (RFC 6052); whoever has nothing else reaches the old internet so.
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
# The part of IPv6 that is given out, and what in it leads elsewhere: Teredo and other tunnels, 6to4, documentation.
_GIVEN_OUT = ipaddress.ip_network("2000::/3")
_SPECIAL = [ipaddress.ip_network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")]
# The same of IPv4, where `ipaddress` does not know it in all its versions; the last is a cloud's own service.
_SPECIAL += [ipaddress.ip_network(text) for text in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32")]


class NoAnswer(Exception):
    """The request was not sent or not answered; the message says why, in a sentence."""


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]


def post(url: str, body: bytes, headers: Mapping[str, str], *, timeout: float) -> Answer:
    """What `url` answers to this, its redirects too; raises `NoAnswer`.

    Everything but the look-up of the name, which the system limits itself, takes `timeout` seconds at most.
    """
    problem = _form_problem(url)
    if problem:
        raise NoAnswer(problem)
    parts = urlsplit(url)
    try:
        places = _resolved(parts)
        deadline = time.monotonic() + timeout
        with _connected(parts, places, deadline) as connected:
            return _answer(parts, body, headers, _Timed(connected, deadline))
    except TimeoutError as error:
        raise NoAnswer(f"No answer within {timeout:g} seconds.") from error
    except ssl.SSLCertVerificationError as error:
        raise NoAnswer(f"The certificate is not valid for this address: {error.verify_message}.") from error
    except ssl.SSLError as error:
        raise NoAnswer("No secure connection: what is there does not speak TLS as we do.") from error
    except ConnectionRefusedError as error:
        raise NoAnswer("The connection was refused: nothing listens at this address.") from error
    except OSError as error:
        raise NoAnswer(f"The connection failed: {error.strerror or type(error).__name__}.") from error
    except (http.client.HTTPException, ValueError) as error:
        raise NoAnswer("What is there does not speak HTTP.") from error


def address_problem(url: str) -> str | None:
    """What is wrong with an address that we are to send to, as far as it can be told now, in a sentence; or None."""
    problem = _form_problem(url)
    if problem:
        return problem
    try:
        _resolved(urlsplit(url))
    except _Private as error:
        return str(error)
    except NoAnswer:
        # A name may be known later.
        return None
    return None


def is_public(address: str) -> bool:
    """Whether this IP address is one of the public internet, where a stranger may send us."""
    ip = ipaddress.ip_address(address)
    if ip in _TRANSLATED:
        ip = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    is_given_out = ip.is_global and not ip.is_multicast if ip.version == 4 else ip in _GIVEN_OUT
    return is_given_out and not any(ip in network for network in _SPECIAL)


class _Private(NoAnswer):
    pass


def _form_problem(url):
    problem = texts.url_problem(url)
    if problem:
        return problem
    port = _port(urlsplit(url))
    if port in PORTS.values() or port >= FIRST_FREE_PORT:
        return None
    return f"Give an address at port 80 or 443, or from {FIRST_FREE_PORT} on: a web server is hardly at port {port}."


def _port(parts):
    return PORTS[parts.scheme] if parts.port is None else parts.port


def _resolved(parts: SplitResult) -> list[tuple]:
    """What the host resolves to, as `socket.getaddrinfo` tells it; raises `NoAnswer`."""
    try:
        places = socket.getaddrinfo(_ascii(parts.hostname), _port(parts), type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NoAnswer(f"The host {parts.hostname[:200]} is not known.") from error
    if settings.NEWSDESK_PRIVATE_CALLBACKS:
        return places
    if not all(is_public(place[0]) for *_, place in places):
        raise _Private("This address leads into a private network. Give one that anyone can reach.")
    return places


def _connected(parts, places, deadline):
    """A connection to the first of these places that takes one, by TLS if the address says so.

    Each may take its share of the time that is left: one that is silent keeps us from no other.
    """
    for waiting in range(len(places), 0, -1):
        share = _left(deadline) / waiting
        try:
            return _connection(parts, places[-waiting], time.monotonic() + share)
        except OSError:
            if waiting == 1:
                raise
    raise ConnectionRefusedError


def _connection(parts, place, deadline):
    family, kind, protocol, _name, address = place
    connected = socket.socket(family, kind, protocol)
    try:
        connected.settimeout(_left(deadline))
        connected.connect(address)
        if parts.scheme == "http":
            return connected
        connected.settimeout(_left(deadline))
        return ssl.create_default_context().wrap_socket(connected, server_hostname=_ascii(parts.hostname))
    except (OSError, ValueError):
        connected.close()
        raise


def _answer(parts, body, headers, timed):
    connection = http.client.HTTPConnection(parts.hostname)
    connection.sock = timed
    target = quote(f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}", safe="/?%:@!$&'()*+,;=~[]|")
    connection.putrequest("POST", target, skip_host=True, skip_accept_encoding=True)
    own = {
        "Host": _ascii(parts.netloc),
        "User-Agent": USER_AGENT,
        "Connection": "close",
        "Content-Length": str(len(body)),
    }
    for name, value in {**own, **headers}.items():
        connection.putheader(name, value)
    connection.endheaders(body)
    response = connection.getresponse()
    _hear_out(response)
    return Answer(response.status, response.headers)


def _hear_out(response):
    """Let them finish what they say, within bounds; what counts was in the head."""
    try:
        response.read(MAX_ANSWER)
    except (OSError, http.client.HTTPException, ValueError):
        return


def _ascii(host: str) -> str:
    return host.encode("idna").decode()


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class _Timed(io.RawIOBase):
    """A connection whose every step gets only what is left of the time, so that nobody keeps us by being slow."""

    def __init__(self, connected: socket.socket, deadline: float):
        self.connected = connected
        self.deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        self.connected.settimeout(_left(self.deadline))
        return self.connected.recv_into(buffer)

    def sendall(self, data: bytes) -> None:
        self.connected.settimeout(_left(self.deadline))
        self.connected.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        # Not this one, which the client closes as soon as it has the head.
        return io.BufferedReader(_Timed(self.connected, self.deadline))
