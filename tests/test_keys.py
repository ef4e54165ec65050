"""Keys to the API: what is stored of them, what they open, and receipts that only go on."""

import datetime
import hashlib
import threading
import uuid

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection

from events import keys, publishing
from events.models import Key, Receipt
from events.refusals import WrongState
from tests.words import person, published

pytestmark = pytest.mark.django_db
AT = datetime.datetime(2026, 3, 1, 12, 0, 30, tzinfo=datetime.UTC)
MINUTE = datetime.timedelta(minutes=1)
DAY = datetime.timedelta(days=1)


def made(name="Agency", at=AT, **values):
    return keys.make(name, by=None, at=at, **values)


def partner(name, seq=None):
    """A key whose holder fetched the log up to `seq`, or never asked for it."""
    key, _token = made(name)
    if seq is not None:
        keys.note_fetched(key, seq, AT)
    return key


def names(reach):
    return [key.name for key in reach.have], [key.name for key in reach.lack]


def everything_stored():
    """Each value of each column of each table of the database."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            for row in cursor.fetchall():
                yield from map(str, row)


class TestMaking:
    def test_it_works(self):
        chief = person("Chief")
        key, token = keys.make("Agency", by=chief, at=AT, expires=AT + DAY)
        assert token.startswith("nd_") and len(token) == 46
        assert (key.name, key.by, key.created, key.expires) == ("Agency", chief, AT, AT + DAY)
        assert (key.follows, key.writes, key.publishes, key.user) == (True, False, False, None)
        assert keys.recognized(token, AT) == key

    def test_each_is_another(self):
        assert len({made()[1] for _key in range(20)}) == 20

    @pytest.mark.parametrize("once", [None, uuid.UUID(int=1)])
    def test_only_its_digest_is_stored(self, once):
        """Nor does any long part of it stand in the database: what shows is how it begins."""
        key, token = made(once=once)
        keys.recognized(token, AT)
        keys.note_fetched(key, 1, AT)
        stored = list(everything_stored())
        assert hashlib.sha256(token.encode()).hexdigest() in stored
        assert key.start in stored and token.startswith(key.start)
        assert not [text for text in stored if token in text or token[len(key.start) :] in text]

    def test_it_is_found_by_its_digest_alone(self, django_assert_num_queries):
        """Nothing that was sent is compared letter by letter, so how long that takes tells nothing."""
        _key, token = made()
        keys.recognized(token, AT)
        with django_assert_num_queries(1) as captured:
            keys.recognized(token, AT)
        query = captured[0]["sql"]
        assert hashlib.sha256(token.encode()).hexdigest() in query and token not in query

    @pytest.mark.parametrize("role", ["", "Reporter", "Editor"])
    def test_only_chiefs_make_and_revoke(self, role):
        somebody, (key, _token) = person(role), made()
        with pytest.raises(PermissionDenied):
            keys.make("Another", by=somebody, at=AT)
        with pytest.raises(PermissionDenied):
            keys.revoke(key, by=somebody, at=AT)
        assert Key.objects.filter(revoked=None).count() == 1

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"name": ""}, "name"),
            ({"name": "A\nB"}, "name"),
            ({"name": "A" * 301}, "name"),
            ({"expires": AT}, "expires"),
            ({"writes": True}, "user"),
            ({"publishes": True}, "user"),
        ],
    )
    def test_what_makes_no_sense_is_refused_at_its_field(self, values, field):
        with pytest.raises(ValidationError) as refusal:
            made(**{"name": "Agency", **values})
        assert set(refusal.value.message_dict) == {field}
        assert not Key.objects.exists()

    def test_it_writes_for_somebody_who_may(self):
        reporter, editor = person("Reporter"), person("Editor")
        assert made(writes=True, user=reporter)[0].user == reporter
        assert made(publishes=True, user=editor)[0].user == editor
        with pytest.raises(ValidationError, match="may not publish"):
            made(publishes=True, user=reporter)

    @pytest.mark.parametrize("values", [{"is_staff": False}, {"is_active": False}, {"role": ""}])
    def test_it_writes_for_nobody_else(self, values):
        somebody = person(values.pop("role", "Chief"))
        for name, value in values.items():
            setattr(somebody, name, value)
        somebody.save()
        with pytest.raises(ValidationError, match="who may write"):
            made(writes=True, user=somebody)

    def test_in_the_name_of_a_superuser_only_by_themselves(self):
        chief, superuser = person("Chief"), person("Chief", "root", is_superuser=True)
        with pytest.raises(ValidationError, match="who may write"):
            keys.make("Agency", by=chief, at=AT, writes=True, user=superuser)
        assert keys.make("Agency", by=superuser, at=AT, writes=True, user=superuser)[0].user == superuser

    def test_what_is_asked_for_twice_is_made_once(self):
        once = uuid.uuid4()
        _key, token = made(once=once)
        with pytest.raises(WrongState, match="made already"):
            made("Another name", once=once)
        assert Key.objects.count() == 1
        assert made(once=uuid.uuid4())[1] != token

    def test_who_knows_the_form_but_no_secret_cannot_make_it_up(self, settings):
        """The key of a form depends on the secret of the site."""
        once = uuid.uuid4()
        _key, token = made(once=once)
        settings.SECRET_KEY = "another"
        assert made(once=once)[1] != token


class TestRecognizing:
    @pytest.mark.parametrize("token", ["", "nd_", "nd_unknown", "\ud800", "é" * 10_000])
    def test_unknown_opens_nothing(self, token):
        made()
        assert keys.recognized(token, AT) is None

    def test_expired_opens_nothing(self):
        _key, token = made(expires=AT + DAY)
        assert keys.recognized(token, AT + DAY - datetime.timedelta(seconds=1))
        assert keys.recognized(token, AT + DAY) is None

    def test_revoked_opens_nothing(self):
        key, token = made()
        keys.revoke(key, by=person("Chief"), at=AT)
        assert keys.recognized(token, AT) is None

    def test_revoked_twice_is_refused_and_keeps_the_first_time(self):
        key, _token = made()
        keys.revoke(key, by=None, at=AT)
        with pytest.raises(WrongState):
            keys.revoke(key, by=None, at=AT + DAY)
        assert Key.objects.get().revoked == AT

    def test_use_is_noted_once_a_minute(self, django_assert_num_queries):
        _key, token = made()
        with django_assert_num_queries(2):
            keys.recognized(token, AT)
        assert Key.objects.get().used == AT.replace(second=0)
        for second in (0, 31, 59):
            with django_assert_num_queries(1):
                keys.recognized(token, AT.replace(second=second))
        with django_assert_num_queries(2):
            keys.recognized(token, AT + MINUTE)
        assert Key.objects.get().used == AT.replace(second=0) + MINUTE

    def test_noted_use_never_goes_back(self):
        _key, token = made()
        keys.recognized(token, AT + DAY)
        keys.recognized(token, AT)
        assert Key.objects.get().used == (AT + DAY).replace(second=0)

    def test_what_opens_nothing_is_not_used(self):
        _key, token = made(expires=AT + DAY)
        keys.recognized(token, AT + DAY)
        assert Key.objects.get().used is None

    def test_who_left_the_desk_writes_nothing_more(self):
        """The key still reads; what it may write is asked of its person."""
        editor = person("Editor")
        _key, token = made(writes=True, publishes=True, user=editor)
        editor.is_active = False
        editor.save()
        user = keys.recognized(token, AT).user
        assert not keys.permissions.may(user, "write") and not keys.permissions.may(user, "publish")

    def test_who_lost_a_role_publishes_nothing_more(self):
        editor = person("Editor")
        _key, token = made(publishes=True, user=editor)
        editor.groups.set(Group.objects.filter(name="Reporter"))
        with pytest.raises(PermissionDenied):
            publishing.publish(published(), by=keys.recognized(token, AT).user)


class TestReceipts:
    def test_they_say_how_far_and_when(self):
        key = partner("Agency", 5)
        keys.note_acknowledged(key, 3, AT + DAY)
        receipt = Receipt.objects.get()
        assert (receipt.fetched, receipt.fetched_at) == (5, AT)
        assert (receipt.acknowledged, receipt.acknowledged_at) == (3, AT + DAY)
        assert keys.seq_of(Key.objects.get()) == 5

    @pytest.mark.parametrize("note", [keys.note_fetched, keys.note_acknowledged])
    def test_they_never_go_back(self, note):
        """Nor by a request that began earlier, with a receipt in hand that is old by now."""
        key, token = made()
        note(key, 1, AT)
        earlier, later = keys.recognized(token, AT), keys.recognized(token, AT)
        note(later, 10, AT)
        note(earlier, 7, AT + DAY)
        note(keys.recognized(token, AT), 8, AT + DAY)
        receipt = Receipt.objects.get()
        assert receipt.seq == 10 and AT in (receipt.fetched_at, receipt.acknowledged_at)

    def test_what_was_fetched_before_costs_nothing(self, django_assert_num_queries):
        _key, token = made()
        keys.note_fetched(keys.recognized(token, AT), 10, AT)
        key = keys.recognized(token, AT)
        with django_assert_num_queries(0):
            keys.note_fetched(key, 10, AT)
            keys.note_fetched(key, 4, AT)

    @pytest.mark.django_db(transaction=True, serialized_rollback=True)
    def test_they_never_go_back_between_requests_at_once(self):
        """The first ones make the row together, and the last `seq` stays whoever comes last."""
        _key, token = made()
        start, failures = threading.Barrier(4), []

        def fetch(seqs):
            try:
                key = keys.recognized(token, AT)
                start.wait()
                for seq in seqs:
                    keys.note_fetched(key, seq, AT)
            except Exception as error:
                failures.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=fetch, args=[seqs]) for seqs in ([3, 40], [39, 5], [20, 30], [38])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert Receipt.objects.get().fetched == 40


class TestReach:
    def test_who_has_what(self):
        partner("Behind", 4), partner("Even", 5), partner("New"), partner("Ahead", 6)
        assert names(keys.reached(5, AT)) == (["Ahead", "Even"], ["Behind", "New"])

    def test_what_is_acknowledged_counts_too(self):
        keys.note_acknowledged(partner("Mirror"), 5, AT)
        assert names(keys.reached(5, AT)) == (["Mirror"], [])

    def test_only_active_keys_that_follow_count(self):
        keys.revoke(partner("Revoked", 9), by=None, at=AT)
        made("Ended", expires=AT + MINUTE)
        made("Reads", follows=False)
        partner("Follows")
        assert names(keys.reached(1, AT + DAY)) == ([], ["Follows"])

    def test_nobody_follows(self):
        assert names(keys.reached(1, AT)) == ([], [])

    def test_many_cost_one_query(self, django_assert_num_queries):
        for number in range(12):
            partner(f"Partner {number:02}", number)
        with django_assert_num_queries(1):
            reach = keys.reached_each(range(1, 51), AT)
        assert [len(reach[seq].have) for seq in (1, 6, 11, 12, 50)] == [11, 6, 1, 0, 0]
