"""Who gets into the desk and how: logins, lockouts, the second factor, idle sessions, the people a chief manages."""

import datetime
import io
import re
import time

import pytest
import time_machine
from axes.models import AccessAttempt
from django.contrib.auth.models import Group, User
from django.contrib.auth.signals import user_login_failed
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from events import http, previews
from events.models import AuditEntry, Event, Preview
from tests.words import draft, published

pytestmark = pytest.mark.django_db

PASSWORD = "quiet-harbour-lamp"
LOGIN = "/desk/login/"
HOME = "/desk/password_change/"  # a page of the desk that anyone on it may see
SECOND_FACTOR = "/desk/second-factor/"
PEOPLE = "/desk/auth/user/"


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def clock():
    """A stopped clock, in the middle of a minute and of a step of the codes."""
    with time_machine.travel(datetime.datetime(2026, 3, 4, 10, 0, 10, tzinfo=datetime.UTC), tick=False) as traveller:
        yield traveller


def user(name="rosa", role="Reporter", **values):
    made = User.objects.create_user(name, password=PASSWORD, **{"is_staff": True, **values})
    made.groups.set(Group.objects.filter(name=role))
    return made


def log_in(client, name="rosa", password=PASSWORD, code="", csrfmiddlewaretoken="", **headers):
    fields = {"username": name, "password": password, "otp_token": code, "next": HOME}
    return client.post(LOGIN, {**fields, "csrfmiddlewaretoken": csrfmiddlewaretoken}, **headers)


def token(page):
    return re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.content.decode())[1]


def browser(who):
    client = Client()
    client.force_login(who)
    return client


def is_in(client):
    return client.get(HOME).status_code == 200


def assert_login_asked(answer, next_page):
    assert answer.status_code == 302
    assert answer["Location"] == f"{LOGIN}?next={next_page}"


def text(answer):
    return re.sub(r"\s+", " ", answer.content.decode())


def told(verb, outcome="done"):
    return list(AuditEntry.objects.filter(verb=verb, outcome=outcome).order_by("pk"))


def phone(who):
    return TOTPDevice.objects.get(user=who)


def code(device, steps=0):
    totp = TOTP(device.bin_key)
    totp.time = time.time() + 30 * steps
    return f"{totp.token():06d}"


def wrong_code(device):
    right = {code(device, steps) for steps in (-1, 0, 1)}
    return next(f"{number:06d}" for number in range(4) if f"{number:06d}" not in right)


def enrol(who, client=None):
    """Through the pages; the recovery codes as the person saw them."""
    client = client or browser(who)
    client.post(SECOND_FACTOR)
    answer = client.post(SECOND_FACTOR + "confirm/", {"code": code(phone(who))})
    assert answer.status_code == 200
    return re.findall(r"<code>([a-z2-7]{4}-[a-z2-7]{4})</code>", text(answer))


class TestLogin:
    def test_name_and_password_open_the_desk(self, client):
        user()
        answer = log_in(client)
        assert answer.status_code == 302 and answer["Location"] == HOME
        assert is_in(client)

    def test_whoever_has_no_second_factor_is_asked_nothing_more(self, client):
        user()
        page = text(client.get(LOGIN))
        assert "Code, if you have a second factor" in page
        assert log_in(client, code="").status_code == 302

    @pytest.mark.parametrize("name, password", [("rosa", "wrong"), ("nobody", PASSWORD), ("Rosa", PASSWORD)])
    def test_a_wrong_name_or_password_is_refused(self, client, name, password):
        user()
        answer = log_in(client, name, password)
        assert answer.status_code == 200
        assert "do not open the desk" in text(answer)
        assert not is_in(client)

    @pytest.mark.parametrize("values", [{"is_staff": False}, {"is_active": False}])
    def test_who_is_not_of_the_desk_is_refused_in_the_same_words(self, client, values):
        user(**values)
        refused = log_in(client)
        assert "do not open the desk" in text(refused)
        assert not is_in(client)
        assert [entry.name for entry in told("log in", "refused")] == ["rosa"]

    def test_it_leads_to_no_other_site(self, client):
        user()
        answer = client.post(LOGIN, {"username": "rosa", "password": PASSWORD, "next": "https://evil.example/"})
        assert "evil" not in answer["Location"]

    def test_a_password_reset_by_mail_is_not_offered(self, client):
        assert "password_reset" not in text(client.get(LOGIN))
        assert client.get("/desk/password_reset/").status_code == 302  # the login, as for any unknown address

    def test_a_deactivated_person_is_out_at_once(self, client):
        who = user()
        log_in(client)
        User.objects.filter(pk=who.pk).update(is_active=False)
        assert_login_asked(client.get(HOME), HOME)

    def test_staff_who_lose_the_desk_are_out_at_once(self, client):
        who = user()
        log_in(client)
        User.objects.filter(pk=who.pk).update(is_staff=False)
        assert_login_asked(client.get(HOME), HOME)


class TestLockout:
    def fail(self, client, times, **more):
        for _time in range(times):
            answer = log_in(client, password="wrong", **more)
        return answer

    def test_the_fifth_failure_locks_out_with_a_page_that_says_what_to_do(self, client, clock):
        user()
        assert self.fail(client, 4).status_code == 200
        answer = self.fail(client, 1)
        assert answer.status_code == 429
        assert answer["Retry-After"] == "900"
        assert "no-store" in answer["Cache-Control"]
        assert "Wait 15 minutes" in text(answer) and 'class="errornote"' in text(answer)

    def test_the_right_password_is_refused_while_locked_out(self, client, clock):
        user()
        self.fail(client, 5)
        answer = log_in(client)
        assert answer.status_code == 429 and "even the right password" in text(answer)
        assert not is_in(client)

    def test_it_ends_after_a_quarter_of_an_hour(self, client, clock):
        user()
        self.fail(client, 5)
        clock.shift(15 * 60 + 1)
        assert log_in(client).status_code == 302

    def test_attempts_meanwhile_do_not_prolong_it(self, client, clock):
        user()
        self.fail(client, 5)
        clock.shift(15 * 60 - 1)
        assert log_in(client).status_code == 429
        clock.shift(2)
        assert log_in(client).status_code == 302

    def test_another_name_or_another_place_is_not_locked_out(self, client, clock):
        user()
        user("emil")
        self.fail(client, 5)
        assert log_in(Client(), "emil").status_code == 302
        assert log_in(Client(), REMOTE_ADDR="198.51.100.7").status_code == 302

    def test_another_browser_in_the_same_place_is_locked_out(self, client, clock):
        user()
        for number in range(5):
            log_in(client, password="wrong", HTTP_USER_AGENT=f"browser {number}")
        assert log_in(Client(), HTTP_USER_AGENT="another").status_code == 429

    def test_a_login_forgets_the_failures_before_it(self, client, clock):
        user()
        self.fail(client, 4)
        log_in(client)
        assert self.fail(client, 4).status_code == 200

    def test_a_header_does_not_change_the_place_without_a_proxy(self, client, clock):
        user()
        for number in range(5):
            log_in(client, password="wrong", HTTP_X_FORWARDED_FOR=f"203.0.113.{number}")
        assert log_in(client, HTTP_X_FORWARDED_FOR="203.0.113.99").status_code == 429

    def test_passwords_are_kept_nowhere(self, client, clock):
        user()
        self.fail(client, 5)
        assert "wrong" not in " ".join(entry.detail.replace("Wrong", "") for entry in AuditEntry.objects.all())


class TestClientAddress:
    def ip(self, settings, proxy, **meta):
        settings.NEWSDESK_PROXY = proxy
        return http.client_ip(RequestFactory().get("/", **meta))

    def test_without_a_proxy_it_is_the_connection(self, settings):
        assert self.ip(settings, False, HTTP_X_FORWARDED_FOR="203.0.113.9") == "127.0.0.1"

    def test_behind_a_proxy_it_is_what_the_proxy_wrote_last(self, settings):
        assert self.ip(settings, True, HTTP_X_FORWARDED_FOR="10.0.0.1, 203.0.113.9") == "203.0.113.9"
        assert self.ip(settings, True, HTTP_X_FORWARDED_FOR="2001:db8::7") == "2001:db8::7"

    def test_behind_a_proxy_that_says_nothing_it_is_the_connection(self, settings):
        assert self.ip(settings, True) == "127.0.0.1"

    @pytest.mark.parametrize("address", ["unix:", "garbage'", "", "fe80::1%eth0"])
    def test_what_is_no_address_is_stored_as_none(self, settings, address):
        assert self.ip(settings, False, REMOTE_ADDR=address) in (None, "fe80::1")

    def test_a_login_from_no_address_is_noted_all_the_same(self, client):
        user()
        log_in(client, password="wrong", REMOTE_ADDR="")
        assert told("log in", "refused")[0].ip is None


class TestAudit:
    def test_a_login_and_a_logout_are_noted(self, client):
        who = user()
        log_in(client, REMOTE_ADDR="198.51.100.7")
        client.post("/desk/logout/")
        entries = told("log in") + told("log out")
        assert [(entry.by, entry.name) for entry in entries] == [(who, "rosa")] * 2
        assert entries[0].ip == "198.51.100.7"
        assert not is_in(client)

    def test_a_failure_is_noted_with_the_name_that_was_typed(self, client):
        log_in(client, "mallory", "x", REMOTE_ADDR="198.51.100.7")
        [entry] = told("log in", "refused")
        assert (entry.by, entry.name, entry.ip) == (None, "mallory", "198.51.100.7")
        assert entry.detail == "Wrong name or password."

    def test_a_lockout_is_noted_once_and_what_follows_as_logins(self, client, clock):
        user()
        for _time in range(5):
            log_in(client, password="wrong")
        log_in(client)
        assert [entry.name for entry in told("lock out", "refused")] == ["rosa"]
        details = [entry.detail for entry in told("log in", "refused")]
        assert details == ["Wrong name or password."] * 5 + ["Locked out."]

    def test_a_changed_password_is_noted_and_a_mistyped_one_as_refused(self, client):
        who = user()
        log_in(client)
        new = {"new_password1": "brisk-orchard-nine", "new_password2": "brisk-orchard-nine"}
        client.post(HOME, {"old_password": "wrong", **new})
        assert not told("change password")
        assert [entry.by for entry in told("change password", "refused")] == [who]
        assert client.post(HOME, {"old_password": PASSWORD, **new}).status_code == 302
        assert [entry.by for entry in told("change password")] == [who]
        assert is_in(client)


class TestOddNames:
    @pytest.mark.parametrize("name", ["x" * 151, "x" * 100_000])
    def test_a_name_that_nobody_can_have_is_refused_and_stored_nowhere(self, client, name):
        answer = log_in(client, name)
        assert answer.status_code == 200 and "do not open the desk" in text(answer)
        assert not AuditEntry.objects.exists() and not AccessAttempt.objects.exists()

    def test_the_longest_name_is_noted(self, client):
        log_in(client, "x" * 150)
        assert [entry.name for entry in told("log in", "refused")] == ["x" * 150]

    def test_a_name_that_comes_another_way_is_cut(self, rf):
        user_login_failed.send(sender=__name__, credentials={"username": "x" * 200}, request=rf.post(LOGIN))
        assert [entry.name for entry in told("log in", "refused")] == ["x" * 150]


class TestOwnPassword:
    NEW = {"new_password1": "brisk-orchard-nine", "new_password2": "brisk-orchard-nine"}

    def test_guessing_the_old_one_locks_out(self, clock):
        who = user()
        here = browser(who)
        for _time in range(5):
            answer = here.post(HOME, {"old_password": "wrong", **self.NEW})
        assert answer.status_code == 429
        assert here.post(HOME, {"old_password": PASSWORD, **self.NEW}).status_code == 429
        assert User.objects.get(pk=who.pk).check_password(PASSWORD)
        assert len(told("change password", "refused")) == 6
        clock.shift(15 * 60 + 1)
        assert here.post(HOME, {"old_password": PASSWORD, **self.NEW}).status_code == 302

    def test_a_wrong_one_is_said_and_a_weak_new_one_too(self):
        here = browser(user())
        answer = here.post(HOME, {"old_password": "wrong", **self.NEW})
        assert answer.status_code == 200 and "entered incorrectly" in text(answer)
        weak = {"old_password": PASSWORD, "new_password1": "12345678", "new_password2": "12345678"}
        assert here.post(HOME, weak).status_code == 200
        assert here.get(HOME).status_code == 200


class TestEnrolment:
    def test_the_page_says_that_it_is_off_and_getting_it_changes_nothing(self):
        client = browser(user())
        assert "It is off" in text(client.get(SECOND_FACTOR))
        for page in ("confirm/", "codes/", "off/"):
            assert client.get(SECOND_FACTOR + page)["Location"] == SECOND_FACTOR
        assert not TOTPDevice.objects.exists() and not StaticDevice.objects.exists()

    def test_beginning_shows_a_code_and_the_key_under_the_security_policy(self):
        who = user()
        client = browser(who)
        assert client.post(SECOND_FACTOR).status_code == 302
        page = text(client.get(SECOND_FACTOR))
        assert 'class="qr"><svg' in page and "style=" not in page and "<script>" not in page
        key = re.search(r"<code>([A-Z2-7 ]+)</code>", page)[1].replace(" ", "")
        assert f"secret={key}&" in phone(who).config_url

    def test_nothing_is_asked_of_whoever_only_began(self, client):
        who = user()
        browser(who).post(SECOND_FACTOR)
        assert log_in(client).status_code == 302

    def test_confirming_switches_it_on_and_shows_ten_recovery_codes_once(self):
        who = user()
        client = browser(who)
        codes = enrol(who, client)
        assert len(set(codes)) == 10
        page = text(client.get(SECOND_FACTOR))
        assert "It is on" in page and not any(recovery in page for recovery in codes)
        assert 'class="qr"' not in page
        assert told("switch on second factor")

    def test_a_wrong_code_does_not_switch_it_on(self):
        who = user()
        client = browser(who)
        client.post(SECOND_FACTOR)
        answer = client.post(SECOND_FACTOR + "confirm/", {"code": wrong_code(phone(who))})
        assert answer.status_code == 400 and "not right" in text(answer)
        assert not phone(who).confirmed and not StaticToken.objects.exists()
        assert told("switch on second factor", "refused")

    def test_confirming_without_having_begun_is_refused(self):
        assert browser(user()).post(SECOND_FACTOR + "confirm/", {"code": "123456"}).status_code == 400

    def test_a_key_from_an_earlier_beginning_opens_nothing(self):
        who = user()
        client = browser(who)
        client.post(SECOND_FACTOR)
        old = code(phone(who))
        client.post(SECOND_FACTOR)
        assert client.post(SECOND_FACTOR + "confirm/", {"code": old}).status_code == 400

    def test_it_cannot_be_begun_again_while_it_is_on(self):
        who = user()
        client = browser(who)
        enrol(who, client)
        assert client.post(SECOND_FACTOR).status_code == 400
        assert phone(who).confirmed

    def test_this_browser_stays_and_the_others_have_to_give_a_code(self):
        who = user()
        here, elsewhere = browser(who), browser(who)
        enrol(who, here)
        assert is_in(here)
        assert_login_asked(elsewhere.get(HOME), HOME)
        assert_login_asked(elsewhere.post(SECOND_FACTOR + "off/", {"password": PASSWORD}), SECOND_FACTOR + "off/")
        assert phone(who).confirmed

    def test_the_anonymous_are_asked_to_log_in(self, client):
        for page in ("", "confirm/", "codes/", "off/"):
            assert_login_asked(client.post(SECOND_FACTOR + page), SECOND_FACTOR + page)


class TestSecondFactorLogin:
    @pytest.fixture
    def who(self, clock):
        """Somebody with a second factor, long enough ago that the code then used does not count."""
        who = user()
        self.codes = enrol(who)
        clock.shift(120)
        return who

    def test_the_password_alone_is_not_enough(self, who, client):
        answer = log_in(client)
        assert "Enter the code that your phone shows" in text(answer)
        assert not is_in(client)
        assert told("log in", "refused")[-1].detail == "No code of the second factor."

    def test_a_missing_code_locks_nobody_out(self, who, client):
        for _time in range(6):
            assert log_in(client).status_code == 200
        assert log_in(client, code=code(phone(who))).status_code == 302

    def test_the_code_opens_the_desk(self, who, client):
        assert log_in(client, code=code(phone(who))).status_code == 302
        assert is_in(client)
        assert told("log in")[-1].detail == "With a second factor."

    def test_a_code_may_be_typed_with_a_space(self, who, client):
        right = code(phone(who))
        assert log_in(client, code=f" {right[:3]} {right[3:]}").status_code == 302

    def test_the_same_code_is_refused_a_second_time(self, who, client, clock):
        right = code(phone(who))
        log_in(client, code=right)
        again = Client()
        answer = log_in(again, code=right)
        assert "was used before" in text(answer)
        assert not is_in(again)

    def test_a_code_without_the_password_opens_nothing(self, who, client):
        log_in(client, password="wrong", code=code(phone(who)))
        assert not is_in(client)

    def test_a_code_of_somebody_else_opens_nothing(self, who, client):
        other = user("emil")
        enrol(other)
        assert code(phone(other)) != code(phone(who))
        log_in(client, code=code(phone(other)))
        assert not is_in(client)

    def test_a_device_named_by_the_browser_is_not_believed(self, who, client):
        other = user("emil")
        enrol(other)
        fields = {"username": "rosa", "password": PASSWORD, "otp_token": code(phone(other), 1)}
        client.post(LOGIN, {**fields, "otp_device": phone(other).persistent_id})
        assert not is_in(client)

    def test_wrong_codes_are_slowed_down(self, who, client, clock):
        log_in(client, code=wrong_code(phone(who)))
        answer = log_in(client, code=code(phone(who)))
        assert "Too many wrong codes" in text(answer) and not is_in(client)
        clock.shift(2)
        assert log_in(client, code=code(phone(who))).status_code == 302

    def test_wrong_codes_lock_out_and_are_noted(self, who, client, clock):
        for _time in range(5):
            clock.shift(60)
            answer = log_in(client, code=wrong_code(phone(who)))
        assert answer.status_code == 429
        assert [entry.detail for entry in told("log in", "refused")] == ["Wrong code of the second factor."] * 5
        clock.shift(60)
        assert log_in(client, code=code(phone(who))).status_code == 429

    def test_a_recovery_code_works_in_the_same_field_and_once(self, who, client):
        recovery = self.codes[0]
        assert log_in(client, code=recovery).status_code == 302
        assert is_in(client)
        again = Client()
        assert "not right" in text(log_in(again, code=recovery))
        assert not is_in(again)
        assert StaticToken.objects.count() == 9

    def test_a_recovery_code_may_be_typed_in_capitals_without_the_hyphen(self, who, client):
        assert log_in(client, code=self.codes[0].replace("-", "").upper()).status_code == 302

    def test_a_session_without_a_code_is_let_in_nowhere(self, who):
        client = browser(who)
        for page in (HOME, "/desk/", SECOND_FACTOR, PEOPLE, reverse("admin:events_event_changelist")):
            assert_login_asked(client.get(page), page)
        assert client.get("/desk/alive/").json() == {"alive": False}


class TestSecondFactorKept:
    @pytest.fixture
    def who(self, clock):
        return user()

    @pytest.fixture
    def enrolled(self, who, clock):
        client = browser(who)
        self.codes = enrol(who, client)
        clock.shift(120)
        return client

    def test_new_recovery_codes_end_the_old_ones(self, enrolled, who, client):
        answer = enrolled.post(SECOND_FACTOR + "codes/", {"password": PASSWORD})
        new = re.findall(r"<code>([a-z2-7]{4}-[a-z2-7]{4})</code>", text(answer))
        assert len(new) == 10 and not set(new) & set(self.codes)
        assert "not right" in text(log_in(client, code=self.codes[0]))

    def test_a_code_is_proof_too(self, enrolled, who):
        assert enrolled.post(SECOND_FACTOR + "codes/", {"code": code(phone(who))}).status_code == 200

    @pytest.mark.parametrize("page", ["codes/", "off/"])
    @pytest.mark.parametrize("proof", [{}, {"password": "wrong"}, {"code": "zzzz-zzzz"}, {"code": ""}])
    def test_without_proof_nothing_changes(self, enrolled, who, page, proof):
        tokens = set(StaticToken.objects.values_list("token", flat=True))
        assert enrolled.post(SECOND_FACTOR + page, proof).status_code == 400
        assert phone(who).confirmed
        assert set(StaticToken.objects.values_list("token", flat=True)) == tokens

    def test_guessing_the_password_there_locks_out(self, enrolled, who):
        for _time in range(5):
            answer = enrolled.post(SECOND_FACTOR + "off/", {"password": "wrong"})
        assert answer.status_code == 429
        assert enrolled.post(SECOND_FACTOR + "off/", {"password": PASSWORD}).status_code == 429
        assert phone(who).confirmed

    @pytest.mark.parametrize("by", ["password", "code", "recovery code"])
    def test_it_is_switched_off_with_proof(self, enrolled, who, client, by):
        proofs = {"code": {"code": code(phone(who))}, "recovery code": {"code": self.codes[3]}}
        answer = enrolled.post(SECOND_FACTOR + "off/", proofs.get(by, {"password": PASSWORD}))
        assert answer.status_code == 302
        assert not TOTPDevice.objects.exists() and not StaticToken.objects.exists()
        assert told("switch off second factor")
        assert is_in(enrolled) and log_in(client).status_code == 302

    @pytest.mark.parametrize("page", ["codes/", "off/"])
    def test_what_is_off_has_no_codes_and_cannot_be_switched_off(self, who, page):
        assert browser(who).post(SECOND_FACTOR + page, {"password": PASSWORD}).status_code == 400
        assert not StaticToken.objects.exists()


class TestIdle:
    @pytest.fixture
    def here(self, clock, settings):
        settings.NEWSDESK_IDLE_MINUTES = 60
        client = Client()
        user()
        log_in(client)
        return client

    def test_a_second_before_the_hour_the_session_lives(self, here, clock):
        clock.shift(3599)
        assert is_in(here)

    def test_at_the_hour_the_next_page_asks_to_log_in_and_says_what_is_kept(self, here, clock):
        clock.shift(3600)
        answer = here.get(HOME + "?a=1")
        assert_login_asked(answer, HOME + "%3Fa%3D1")
        assert "kept in this browser" in text(here.get(answer["Location"]))
        assert told("log out")[0].detail == "Left alone for too long."
        assert not is_in(here)

    def test_use_prolongs_it(self, here, clock):
        for _time in range(3):
            clock.shift(3000)
            assert is_in(here)

    def test_a_post_too_late_leads_to_the_login_and_back_to_its_page(self, clock, settings):
        user()
        client = Client(enforce_csrf_checks=True)
        log_in(client, csrfmiddlewaretoken=token(client.get(LOGIN)))
        form = token(client.get(HOME))
        clock.shift(3600)
        answer = client.post(HOME, {"csrfmiddlewaretoken": form})
        assert_login_asked(answer, HOME)
        page = client.get(answer["Location"])
        assert "kept in this browser" in text(page) and f'name="next" value="{HOME}"' in text(page)
        assert log_in(client, csrfmiddlewaretoken=token(page)).status_code == 302
        assert is_in(client)

    def test_a_form_from_before_the_last_login_leads_back_to_its_page(self, settings):
        settings.CSRF_FAILURE_VIEW = "events.desk.logins.csrf_failure"
        who = user()
        client = Client(enforce_csrf_checks=True)
        log_in(client, csrfmiddlewaretoken=token(client.get(LOGIN)))
        form = token(client.get(SECOND_FACTOR))
        client.logout()
        log_in(client, csrfmiddlewaretoken=token(client.get(LOGIN)))
        answer = client.post(SECOND_FACTOR, {"csrfmiddlewaretoken": form})
        assert (answer.status_code, answer["Location"]) == (302, SECOND_FACTOR)
        assert not TOTPDevice.objects.filter(user=who).exists()
        assert "Nothing was saved" in text(client.get(SECOND_FACTOR))

    def test_a_browser_without_cookies_is_told(self, settings):
        settings.CSRF_FAILURE_VIEW = "events.desk.logins.csrf_failure"
        answer = log_in(Client(enforce_csrf_checks=True))
        assert answer.status_code == 403 and "needs cookies" in text(answer)

    def test_a_post_whose_session_is_gone_leads_to_the_login(self, here):
        Session.objects.all().delete()
        assert_login_asked(here.post(SECOND_FACTOR), SECOND_FACTOR)

    def test_the_heartbeat_of_an_open_entry_is_no_use(self, here, clock):
        heartbeat = reverse("admin:events_event_presence", args=[draft(by=User.objects.get()).pk])
        for _time in range(3):
            clock.shift(1000)
            assert here.post(heartbeat).status_code in (200, 204)
        clock.shift(600)
        assert_login_asked(here.post(heartbeat), heartbeat)
        # What it says waits for the person, not for the script that came first.
        assert "kept in this browser" in text(here.get(HOME, follow=True))

    def test_asking_whether_the_session_lives_is_no_use(self, here, clock):
        clock.shift(3599)
        assert here.get("/desk/alive/").json() == {"alive": True}
        clock.shift(1)
        answer = here.get("/desk/alive/")
        assert answer.json() == {"alive": False}
        assert "no-store" in answer["Cache-Control"]
        assert "kept in this browser" in text(here.get(HOME, follow=True))

    def test_only_reading_is_asked_there(self, here, client):
        assert here.post("/desk/alive/").status_code == 405
        assert client.get("/desk/alive/").json() == {"alive": False}

    def test_the_session_is_written_once_a_minute_at_most(self, here, clock):
        def writes(seconds):
            clock.shift(seconds)
            with CaptureQueriesContext(connection) as queries:
                here.get(HOME)
            return sum(query["sql"].startswith(("INSERT", "UPDATE", "DELETE")) for query in queries)

        assert [writes(59), writes(1), writes(0), writes(59)] == [0, 1, 0, 0]

    def test_a_short_idle_time_does_not_end_what_is_in_use(self, here, clock, settings):
        settings.NEWSDESK_IDLE_MINUTES = 1
        for _time in range(12):
            clock.shift(20)
            assert is_in(here)
        clock.shift(60)
        assert not is_in(here)

    def test_the_login_page_is_shown_to_an_idle_session(self, here, clock):
        clock.shift(3600)
        assert here.get(LOGIN).status_code == 200


class TestPeople:
    @pytest.fixture
    def chief(self):
        return user("clara", "Chief")

    @pytest.fixture
    def desk(self, chief):
        return browser(chief)

    def fields(self, who, **values):
        fields = {
            "username": who.username,
            "first_name": who.first_name,
            "last_name": who.last_name,
            "email": who.email,
            "groups": list(who.groups.values_list("pk", flat=True)),
        }
        if who.is_active:
            fields["is_active"] = "on"
        return {key: value for key, value in (fields | values).items() if value is not None}

    def change(self, desk, who, **values):
        return desk.post(f"{PEOPLE}{who.pk}/change/", self.fields(who, **values))

    def role(self, name):
        return Group.objects.get(name=name).pk

    def add(self, desk, **values):
        new = {"username": "nina", "password1": PASSWORD, "password2": PASSWORD, "groups": [self.role("Editor")]}
        return desk.post(f"{PEOPLE}add/", {**new, **values})

    def test_the_list_shows_names_roles_and_second_factors(self, desk):
        who = user(first_name="Rosa", last_name="Lopes")
        enrol(who)
        page = text(desk.get(PEOPLE))
        assert "Rosa Lopes" in page and "Reporter" in page and "Chief" in page

    def test_the_list_takes_as_many_queries_for_many(self, desk, django_assert_max_num_queries):
        for number in range(30):
            user(f"person{number}")
        with django_assert_max_num_queries(12):
            desk.get(PEOPLE)

    def test_a_new_person_can_log_in_in_their_role(self, desk, client):
        assert self.add(desk, first_name="Nina").status_code == 302
        nina = User.objects.get(username="nina")
        assert nina.is_staff and not nina.is_superuser
        assert [group.name for group in nina.groups.all()] == ["Editor"]
        assert log_in(client, "nina").status_code == 302
        [entry] = told("add person")
        assert (entry.name, entry.subject, entry.detail) == ("clara", "nina", "Roles: Editor.")

    def test_a_name_that_differs_in_case_only_is_refused(self, desk, chief):
        assert self.add(desk, username="Clara").status_code == 200
        assert User.objects.count() == 1

    def test_a_weak_password_is_refused(self, desk):
        assert self.add(desk, password1="12345678", password2="12345678").status_code == 200
        assert not User.objects.filter(username="nina").exists()

    def test_a_role_is_changed_and_noted(self, desk):
        who = user()
        assert self.change(desk, who, groups=[self.role("Editor")]).status_code == 302
        assert [group.name for group in who.groups.all()] == ["Editor"]
        [entry] = told("change person")
        assert entry.subject == "rosa" and "Roles: Editor." in entry.detail

    def test_somebody_is_deactivated_and_noted(self, desk):
        who = user()
        self.change(desk, who, is_active=None)
        who.refresh_from_db()
        assert not who.is_active
        assert "Not active." in told("change person")[0].detail

    def test_the_preview_links_of_somebody_who_is_deactivated_die(self, desk, client):
        who, other = user(), user("otto", "Editor")
        event = draft()
        Event.objects.filter(pk=event.pk).update(author=who)
        links = [previews.make(event, by=by, hours=8) for by in (who, who, other)]
        Preview.objects.filter(pk=links[0].pk).update(expires=timezone.now())
        pages = [reverse("preview", args=[previews.token(link)]) for link in links]
        self.change(desk, who, first_name="Rosa")
        assert [client.get(page).status_code for page in pages] == [404, 200, 200]
        self.change(desk, who, is_active=None)
        assert [client.get(page).status_code for page in pages] == [404, 404, 200]
        [entry] = told("revoke link")
        assert (entry.name, entry.subject, entry.detail) == ("clara", "rosa", "Links of this person: 1.")
        self.change(desk, User.objects.get(pk=who.pk), email="rosa@example.org")
        assert len(told("revoke link")) == 1

    def test_only_what_a_chief_may_decide_is_on_the_form(self, desk):
        page = text(desk.get(f"{PEOPLE}{user().pk}/change/"))
        names = set(re.findall(r'<(?:input|select|textarea)[^>]* name="([^"]+)"', page))
        names -= {"csrfmiddlewaretoken", "_save", "_continue"}
        assert names == {"username", "first_name", "last_name", "email", "is_active", "groups"}

    @pytest.mark.parametrize("forged", [{"is_superuser": "1"}, {"is_superuser": "on", "user_permissions": ["1", "2"]}])
    def test_what_is_not_on_the_form_cannot_be_posted(self, desk, chief, forged):
        who = user()
        self.change(desk, who, **forged)
        self.change(desk, chief, **forged)
        self.add(desk, **forged)
        assert User.objects.count() == 3
        assert not User.objects.filter(is_superuser=True).exists()
        assert not User.user_permissions.through.objects.exists()

    def test_a_password_cannot_be_posted_as_a_hash(self, desk):
        who = user()
        self.change(desk, who, password="md5$x$y", is_staff="")
        fresh = User.objects.get(pk=who.pk)
        assert fresh.password == who.password and fresh.is_staff

    def test_groups_outside_the_roles_cannot_be_given(self, desk):
        who = user()
        other = Group.objects.create(name="Operators")
        assert self.change(desk, who, groups=[other.pk]).status_code == 200
        assert self.add(desk, groups=[other.pk]).status_code == 200
        assert not other.user_set.exists()

    def test_groups_outside_the_roles_are_kept(self, desk):
        who = user()
        other = Group.objects.create(name="Operators")
        who.groups.add(other)
        self.change(desk, who, groups=[self.role("Editor")])
        assert {group.name for group in who.groups.all()} == {"Editor", "Operators"}

    def test_chiefs_cannot_take_the_desk_from_themselves(self, desk, chief):
        for values in ({"is_active": None}, {"groups": [self.role("Editor")]}, {"groups": []}):
            answer = self.change(desk, chief, **values)
            assert answer.status_code == 200 and "Ask another chief" in text(answer)
        chief.refresh_from_db()
        assert chief.is_active and chief.groups.get().name == "Chief"

    def test_chiefs_change_the_rest_of_themselves_and_other_chiefs(self, desk, chief):
        assert self.change(desk, chief, first_name="Clara").status_code == 302
        other = user("otto", "Chief")
        assert self.change(desk, other, groups=[self.role("Reporter")]).status_code == 302
        assert other.groups.get().name == "Reporter"

    def test_a_superuser_is_shown_and_changed_by_nobody(self, desk):
        root = User.objects.create_superuser("root", password=PASSWORD)
        enrol(root)
        before = User.objects.values().get(pk=root.pk)
        page = desk.get(f"{PEOPLE}{root.pk}/change/")
        assert page.status_code == 200
        assert not re.search(r'name="(username|is_active|groups|email)"', text(page))
        assert self.change(desk, root, is_active=None, username="ruth").status_code == 403
        for path in ("password/", "second-factor/"):
            new = {"new_password1": "brisk-orchard-nine", "new_password2": "brisk-orchard-nine"}
            assert desk.get(f"{PEOPLE}{root.pk}/{path}").status_code == 403
            assert desk.post(f"{PEOPLE}{root.pk}/{path}", new).status_code == 403
        assert User.objects.values().get(pk=root.pk) == before
        assert phone(root).confirmed
        assert [entry.subject for entry in told("change person", "refused")] == ["root"]
        assert told("set password", "refused") and told("remove second factor", "refused")

    def test_nobody_is_deleted(self, desk):
        who = user()
        for path in (f"{who.pk}/delete/", f"{who.pk}/history/"):
            answer = desk.post(PEOPLE + path, {"post": "yes"})
            assert answer.status_code in (302, 404)
        desk.post(PEOPLE, {"action": "delete_selected", "_selected_action": [who.pk], "post": "yes", "index": 0})
        assert User.objects.filter(pk=who.pk).exists()

    def test_the_list_does_not_betray_hashes(self, desk):
        user()
        answer = desk.get(PEOPLE, {"password__startswith": "md5"})
        assert answer.status_code in (302, 400)

    def test_a_password_is_set_for_somebody_and_ends_their_sessions(self, desk, client):
        who = user()
        theirs = browser(who)
        new = {"new_password1": "brisk-orchard-nine", "new_password2": "brisk-orchard-nine"}
        assert desk.get(f"{PEOPLE}{who.pk}/password/").status_code == 200
        assert desk.post(f"{PEOPLE}{who.pk}/password/", new).status_code == 302
        assert not is_in(theirs)
        assert log_in(client, password="brisk-orchard-nine").status_code == 302
        [entry] = told("set password")
        assert entry.subject == "rosa" and "brisk" not in entry.detail

    def test_a_weak_or_mistyped_password_is_not_set(self, desk):
        who = user()
        for first, second in (("12345678", "12345678"), ("brisk-orchard-nine", "brisk-orchard-ten")):
            answer = desk.post(f"{PEOPLE}{who.pk}/password/", {"new_password1": first, "new_password2": second})
            assert answer.status_code == 200
        assert User.objects.get(pk=who.pk).check_password(PASSWORD)

    def test_ones_own_password_and_second_factor_need_proof(self, desk, chief):
        enrol(chief, desk)
        own = f"{PEOPLE}{chief.pk}/"
        new = {"new_password1": "brisk-orchard-nine", "new_password2": "brisk-orchard-nine"}
        assert desk.post(own + "password/", new)["Location"] == HOME
        assert desk.post(own + "second-factor/")["Location"] == SECOND_FACTOR
        assert phone(chief).confirmed and User.objects.get(pk=chief.pk).check_password(PASSWORD)

    def test_a_second_factor_is_removed_by_a_post_of_its_own(self, desk, client):
        who = user()
        enrol(who)
        page = f"{PEOPLE}{who.pk}/second-factor/"
        assert page in text(desk.get(f"{PEOPLE}{who.pk}/change/"))
        assert desk.get(page).status_code == 200
        assert phone(who).confirmed
        assert desk.post(page).status_code == 302
        assert not TOTPDevice.objects.exists() and not StaticDevice.objects.exists()
        assert log_in(client).status_code == 302
        assert [entry.subject for entry in told("remove second factor")] == ["rosa"]

    def test_unknown_people_are_not_found(self, desk):
        for path in ("password/", "second-factor/"):
            assert desk.get(f"{PEOPLE}987654/{path}").status_code == 404

    @pytest.mark.parametrize("role", ["Reporter", "Editor", None])
    def test_nobody_else_manages_people(self, role):
        who = user("emil", role)
        other = user()
        enrol(other)
        client = browser(who)
        for path in ("", "add/", f"{other.pk}/change/", f"{other.pk}/password/", f"{other.pk}/second-factor/"):
            assert client.get(PEOPLE + path).status_code == 403, path
            assert client.post(PEOPLE + path, self.fields(other, is_active=None)).status_code == 403, path
        other.refresh_from_db()
        assert other.is_active and phone(other).confirmed
        assert client.get(f"{PEOPLE}987654/password/").status_code == 403

    def test_the_anonymous_and_those_not_of_the_desk_are_asked_to_log_in(self, client):
        who = user(is_staff=False, role="Chief")
        for visitor in (client, browser(who)):
            for path in ("", "add/", f"{who.pk}/change/", f"{who.pk}/password/", f"{who.pk}/second-factor/"):
                assert_login_asked(visitor.get(PEOPLE + path), PEOPLE + path)
                assert_login_asked(visitor.post(PEOPLE + path), PEOPLE + path)


class TestCookies:
    def test_those_of_the_desk_stay_at_the_desk(self, client):
        user()
        client.get(LOGIN)
        log_in(client)
        assert set(client.cookies) == {"sessionid", "csrftoken"}
        for cookie in client.cookies.values():
            assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/desk/", True, "Strict")

    @pytest.mark.parametrize("page", ["/index.html", "/index.json", "/news/index.html", "/nowhere"])
    def test_public_pages_set_none_and_vary_by_none(self, client, page):
        published()
        user()
        log_in(client)
        # A browser does not send the desk's cookies there; nothing would change if it did.
        answer = client.get(page)
        assert not answer.cookies
        assert "cookie" not in answer.get("Vary", "").lower()
        assert "rosa" not in answer.content.decode()


class TestMakeLogins:
    def made(self, *options):
        out = io.StringIO()
        call_command("make_logins", *options, stdout=out)
        return out.getvalue()

    def test_three_people_can_log_in_with_what_was_printed(self, settings):
        settings.NEWSDESK_URL = "https://news.example.org"
        lines = self.made().splitlines()
        assert "https://news.example.org/desk/" in lines[0]
        for line, role in zip(lines[1:], ["Reporter", "Editor", "Chief"], strict=True):
            name, password = line.split()
            assert name == role.lower() and len(password.replace("-", "")) == 16
            assert log_in(Client(), name, password).status_code == 302
            assert [group.name for group in User.objects.get(username=name).groups.all()] == [role]
        assert len({line.index(line.split()[1]) for line in lines[1:]}) == 1
        assert not User.objects.filter(is_superuser=True).exists()

    def test_if_none_it_makes_them_only_where_nobody_is(self):
        assert self.made("--if-none")
        before = list(User.objects.values())
        assert self.made("--if-none") == ""
        assert list(User.objects.values()) == before

    def test_a_taken_name_is_said_and_nothing_changes(self):
        user("editor")
        with pytest.raises(CommandError, match="editor"):
            self.made()
        assert User.objects.count() == 1
