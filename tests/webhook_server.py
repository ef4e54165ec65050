"""A receiver of webhooks on this machine, which behaves as well or as badly as a test wants.

Its certificate is for `localhost`, and no authority's: who is to trust it is told so by SSL_CERT_FILE.
"""

import contextlib
import os
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

CERTIFICATE = Path(__file__).with_suffix(".pem")
# Between two bytes of a receiver that takes its time; it ends when the test does.
PAUSE = 0.05


class Request(NamedTuple):
    """`headers` by their names in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes


class Receiver(ThreadingHTTPServer):
    """`received` are the requests so far; `behave(handler)` answers each."""

    daemon_threads = True

    def __init__(self, behave, port=0):
        super().__init__(("127.0.0.1", port), _Handler)
        self.behave = behave
        self.received = []
        self.ended = threading.Event()
        self.was_cut = threading.Event()
        self.scheme = "http"

    @property
    def port(self):
        return self.server_address[1]

    @property
    def url(self):
        return self.at("127.0.0.1")

    def at(self, host):
        return f"{self.scheme}://{host}:{self.port}/hook"

    def ids(self):
        return [request.headers["webhook-id"] for request in self.received]

    def handle_error(self, request, client_address):
        """Whoever sends may hang up."""


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.received.append(Request(self.path, headers, body))
        self.server.behave(self)

    def log_message(self, format, *args):
        pass


@contextlib.contextmanager
def receiving(behave=None, port=0, tls=False):
    """A receiver at work; it answers 204 unless told otherwise."""
    with Receiver(behave or answering(204), port) as receiver:
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE)
            receiver.socket = context.wrap_socket(receiver.socket, server_side=True)
            receiver.scheme = "https"
        thread = threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": PAUSE})
        thread.start()
        try:
            yield receiver
        finally:
            receiver.ended.set()
            receiver.shutdown()
            thread.join()


# How a receiver behaves.


def answering(status, **headers):
    """`headers` have underscores for hyphens."""

    def behave(handler):
        handler.send_response(status)
        for name, value in {**headers, "Content_Length": "0"}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()

    return behave


def in_turn(*behaviours):
    """A behaviour for each request; the last one for all that follow."""
    left = list(behaviours)

    def behave(handler):
        (left.pop(0) if len(left) > 1 else left[0])(handler)

    return behave


def hanging(handler):
    handler.server.ended.wait()


def dribbling(handler):
    """A head that never ends, a byte at a time: no single wait is long."""
    _dribble(handler, b"HTTP/1.1 200 OK\r\nX-Patience: ")


def dribbling_body(handler):
    _dribble(handler, b"HTTP/1.1 200 OK\r\n\r\n")


def pouring(handler):
    """An answer of 64 MB, as fast as it goes; more than any connection holds that nobody reads from."""
    try:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _piece in range(1024):
            handler.wfile.write(b"a" * 65536)
    except OSError:
        handler.server.was_cut.set()


def talking(data):
    """Something that is not HTTP."""

    def behave(handler):
        handler.wfile.write(data)

    return behave


def signalling(process, number, then=None):
    """The sender gets a signal while it waits; `process()` is its id."""

    def behave(handler):
        os.kill(process(), number)
        if then:
            then(handler)

    return behave


def _dribble(handler, head):
    handler.wfile.write(head)
    with contextlib.suppress(OSError):
        while not handler.server.ended.wait(PAUSE):
            handler.wfile.write(b"a")
