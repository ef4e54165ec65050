"""Requests to addresses that others gave us: where they do not lead, and that nobody keeps us waiting."""

import socket

import pytest

from events import outbound
from events.outbound import NoAnswer
from tests.webhook_server import (
    CERTIFICATE,
    answering,
    dribbling,
    dribbling_body,
    hanging,
    pouring,
    receiving,
    talking,
)

# Long enough for any machine, and short for whoever never answers.
PATIENCE = 20
SOON = 0.3
PRIVATE = "private network"


@pytest.fixture(autouse=True)
def private_callbacks(settings):
    """The receivers of tests are on this machine."""
    settings.NEWSDESK_PRIVATE_CALLBACKS = True


def post(url, body=b"{}", timeout=PATIENCE, **headers):
    return outbound.post(url, body, headers, timeout=timeout)


def resolver(monkeypatch, *answers):
    """The name service answers these addresses, one list after the other, the last for good; the names asked for."""
    left, asked = list(answers), []

    def getaddrinfo(host, port, **hints):
        asked.append(host)
        found = left.pop(0) if len(left) > 1 else left[0]
        return [
            (socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in found
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


class TestRequest:
    def test_it_works(self):
        with receiving(answering(202, X_Word="yes")) as receiver:
            answer = post(f"{receiver.url}?a=b&c=%2F", b"body", **{"X-Ours": "ours"})
        assert (answer.status, answer.headers["x-word"]) == (202, "yes")
        [request] = receiver.received
        assert (request.path, request.body) == ("/hook?a=b&c=%2F", b"body")
        assert request.headers["host"] == f"127.0.0.1:{receiver.port}"
        assert request.headers["x-ours"] == "ours"
        assert request.headers["connection"] == "close"

    def test_letters_beyond_ascii_are_escaped(self):
        with receiving() as receiver:
            post(f"{receiver.url}/ärger?q=ö")
        assert receiver.received[0].path == "/hook/%C3%A4rger?q=%C3%B6"

    def test_a_name_beyond_ascii_is_asked_for_in_ascii(self, monkeypatch):
        asked = resolver(monkeypatch, ["127.0.0.1"])
        with receiving() as receiver:
            post(receiver.at("bücher.example"))
        assert asked == ["xn--bcher-kva.example"]
        assert receiver.received[0].headers["host"] == f"xn--bcher-kva.example:{receiver.port}"

    def test_a_redirect_is_an_answer_and_not_followed(self):
        with receiving() as target, receiving(answering(302, Location=target.url)) as receiver:
            assert post(receiver.url).status == 302
        assert len(receiver.received) == 1
        assert target.received == []

    def test_no_proxy_is_asked(self, monkeypatch):
        with receiving() as proxy, receiving() as receiver:
            for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
                monkeypatch.setenv(name, proxy.url)
            assert post(receiver.url).status == 204
        assert proxy.received == []

    def test_the_next_address_of_a_name_is_tried(self, monkeypatch):
        with receiving() as receiver:
            resolver(monkeypatch, ["127.0.0.2", "127.0.0.1"])
            assert post(receiver.at("news.example")).status == 204

    def test_the_next_address_is_tried_where_a_family_is_not_spoken(self, monkeypatch):
        """As on a machine without IPv6: its family has a number that nothing here knows."""
        monkeypatch.setattr(socket, "AF_INET6", 99)
        with receiving() as receiver:
            resolver(monkeypatch, ["::1", "127.0.0.1"])
            assert post(receiver.at("news.example")).status == 204

    @pytest.mark.parametrize(
        "url",
        [
            "ftp://127.0.0.1/",
            "file:///etc/passwd",
            "http:/127.0.0.1/",
            "http://user:word@127.0.0.1/",
            "http://127.0.0.1:99999/",
            "http://127.0.0.1/ a",
            "http://127.0.0.1\\@partner.example/",
            "http:///hook",
            "",
            "http://127.0.0.1:22/",
            "https://127.0.0.1:25/",
            "http://127.0.0.1:0/",
            "http://127.0.0.1:1023/",
        ],
    )
    def test_other_addresses_are_refused(self, url):
        with pytest.raises(NoAnswer, match=r"\."):
            post(url)
        assert outbound.address_problem(url)

    def test_a_header_cannot_smuggle_another(self):
        with receiving() as receiver, pytest.raises(NoAnswer):
            post(receiver.url, **{"X-Ours": "a\r\nX-Other: b"})
        assert receiver.received == []


class TestPatience:
    @pytest.mark.parametrize("behave", [hanging, dribbling])
    def test_who_does_not_answer_in_time_has_not_answered(self, behave):
        """Each byte of the dribble comes in time; all of them together do not."""
        with receiving(behave) as receiver, pytest.raises(NoAnswer, match=r"No answer within 0\.3 seconds\."):
            post(receiver.url, timeout=SOON)
        assert len(receiver.received) == 1

    def test_a_silent_address_takes_its_share_of_the_time_alone(self, monkeypatch):
        """The next ones of the name are tried while there is time."""
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        with receiving(tls=True) as receiver, socket.create_server(("127.0.0.2", receiver.port)):
            resolver(monkeypatch, ["127.0.0.2", *["127.0.0.1"] * 19])
            assert post(receiver.at("localhost"), timeout=20 * SOON).status == 204

    def test_the_status_counts_whatever_becomes_of_the_body(self):
        with receiving(dribbling_body) as receiver:
            assert post(receiver.url, timeout=SOON).status == 200

    def test_a_long_answer_is_cut(self):
        """The receiver notices that nobody listens any more."""
        with receiving(pouring) as receiver:
            assert post(receiver.url).status == 200
            assert receiver.was_cut.wait(PATIENCE)

    def test_nobody_listens(self):
        with receiving() as receiver:
            url = receiver.url
        with pytest.raises(NoAnswer, match="refused"):
            post(url)

    @pytest.mark.parametrize(
        "data",
        [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 twohundred\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200],
    )
    def test_what_is_there_does_not_speak_http(self, data):
        with receiving(talking(data)) as receiver, pytest.raises(NoAnswer, match=r"HTTP|failed"):
            post(receiver.url)

    def test_an_unknown_name(self, monkeypatch):
        def fails(*args, **hints):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", fails)
        with pytest.raises(NoAnswer, match=r"host news\.example is not known"):
            post("https://news.example/hook")
        assert outbound.address_problem("https://news.example/hook") is None

    @pytest.mark.parametrize("host", ["a..b", f"{'a' * 64}.example"])
    def test_an_impossible_name(self, host):
        with pytest.raises(NoAnswer, match="is not known"):
            post(f"https://{host}/hook")


class TestSecurely:
    def test_a_certificate_of_a_known_authority(self, monkeypatch):
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        with receiving(tls=True) as receiver:
            assert post(receiver.at("localhost")).status == 204

    def test_a_certificate_of_nobody(self):
        with receiving(tls=True) as receiver, pytest.raises(NoAnswer, match="certificate is not valid"):
            post(receiver.at("localhost"))
        assert receiver.received == []

    def test_a_certificate_of_somebody_else(self, monkeypatch):
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        resolver(monkeypatch, ["127.0.0.1"])
        with receiving(tls=True) as receiver, pytest.raises(NoAnswer, match="certificate is not valid"):
            post(receiver.at("partner.example"))
        assert receiver.received == []

    def test_no_secure_connection_where_none_is_spoken(self):
        with receiving() as receiver, pytest.raises(NoAnswer, match="TLS"):
            post(receiver.url.replace("http:", "https:"))
        assert receiver.received == []


class TestPrivateAddresses:
    """GUARDS, "SSRF": after the name is resolved, whatever it looks like."""

    @pytest.fixture(autouse=True)
    def no_private_callbacks(self, settings, private_callbacks):
        settings.NEWSDESK_PRIVATE_CALLBACKS = False

    @pytest.mark.parametrize(
        "host",
        "127.0.0.1 localhost LOCALHOST localhost. 0 0.0.0.0 2130706433 0x7f.1 0177.0.0.1 127.1 [::1] [::] "
        "[::ffff:127.0.0.1] [::ffff:7f00:1] [64:ff9b::7f00:1] 169.254.169.254 [fe80::1] [fd00:ec2::254] 10.0.0.1 "
        "172.16.0.1 192.168.1.1 100.100.100.200 224.0.0.1 255.255.255.255 １２７.0.0.1".split(),
    )
    def test_no_request_leaves(self, host):
        with receiving() as receiver:
            with pytest.raises(NoAnswer, match=f"{PRIVATE}|not known"):
                post(receiver.at(host))
            assert receiver.received == []

    @pytest.mark.parametrize("addresses", [["8.8.8.8", "127.0.0.1"], ["10.1.2.3"], ["2001:db8::1", "8.8.8.8"], ["::1"]])
    def test_every_address_of_a_name_has_to_be_public(self, monkeypatch, addresses):
        resolver(monkeypatch, addresses)
        with pytest.raises(NoAnswer, match=PRIVATE):
            post("https://partner.example/hook")
        assert PRIVATE in outbound.address_problem("https://partner.example/hook")

    def test_a_public_name_may_be_given(self, monkeypatch):
        resolver(monkeypatch, ["8.8.8.8", "2606:4700::1111"])
        for place in ("partner.example", "partner.example:80", "partner.example:8443", "partner.example:1024"):
            assert outbound.address_problem(f"https://{place}/hook") is None

    @pytest.mark.parametrize(
        ("address", "is_public"),
        [
            ("8.8.8.8", True),
            ("2606:4700::1111", True),
            ("64:ff9b::808:808", True),
            ("0.0.0.0", False),
            ("10.0.0.1", False),
            ("100.64.0.1", False),
            ("127.255.255.254", False),
            ("168.63.129.16", False),
            ("169.254.169.254", False),
            ("172.31.255.255", False),
            ("192.0.0.192", False),
            ("192.0.2.1", False),
            ("192.88.99.1", False),
            ("192.168.0.1", False),
            ("198.18.0.1", False),
            ("224.0.0.1", False),
            ("239.255.255.250", False),
            ("240.0.0.1", False),
            ("255.255.255.255", False),
            ("::", False),
            ("::1", False),
            ("::8.8.8.8", False),
            ("::ffff:8.8.8.8", False),
            ("::ffff:127.0.0.1", False),
            ("64:ff9b::7f00:1", False),
            ("64:ff9b::a9fe:a9fe", False),
            ("64:ff9b:1::808:808", False),
            ("100::1", False),
            ("2001::1", False),
            ("2001:db8::1", False),
            ("2002:7f00:1::", False),
            ("2002:808:808::", False),
            ("3fff::1", False),
            ("fc00::1", False),
            ("fd00:ec2::254", False),
            ("fe80::1", False),
            ("fe80::1%lo", False),
            ("fec0::1", False),
            ("ff02::1", False),
        ],
    )
    def test_what_is_public(self, address, is_public):
        assert outbound.is_public(address) is is_public


def test_a_name_is_resolved_once(monkeypatch):
    """What was checked is what is asked: a second answer of the name service, to lead elsewhere, is never heard."""
    asked = resolver(monkeypatch, ["127.0.0.1"], ["127.0.0.2"])
    with receiving() as receiver:
        assert post(receiver.at("rebinding.example")).status == 204
    assert asked == ["rebinding.example"]
    assert len(receiver.received) == 1
