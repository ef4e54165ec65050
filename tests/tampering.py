"""One character of one column of one row, changed behind the application's back."""

from contextlib import contextmanager

from django.db import DatabaseError, connection, transaction

from events.models import Edition, EditionHost, EditionTopic, LogEntry, SearchRow, Topic

TABLES = {model: model._meta.db_table for model in (Edition, EditionHost, EditionTopic, LogEntry, SearchRow, Topic)}
# What tells their rows apart, which have no key of one column.
KEYS = {EditionHost: "edition_id || '-' || host", EditionTopic: "edition_id || '-' || topic_id"}


def columns(model):
    return [field.column for field in model._meta.concrete_fields]


def tamper(random, model, column, where="1 = 1"):
    """Change one character in one row; (row, before, after), or None if no row has one or the database refuses all.

    A digit becomes another digit and a letter another letter, never the same in another case.
    """
    table, key = TABLES[model], "ctid::text" if connection.vendor == "postgresql" else "rowid"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_row_key(model, key)}, {_as_text(column)} FROM {table} WHERE {where}")
        rows = [(row, text) for row, text in cursor.fetchall() if text and any(char.isalnum() for char in text)]
    for row, text in random.sample(rows, min(len(rows), 5)):
        changed = _with_another_character(random, text)
        if _written(table, column, _row_key(model, key), row, changed):
            return row, text, changed
    return None


def _row_key(model, key):
    if connection.vendor == "sqlite" and model not in KEYS:
        return model._meta.pk.column
    return KEYS.get(model, key)


def _as_text(column):
    return f"{column}::text" if connection.vendor == "postgresql" else f"CAST({column} AS TEXT)"


def _with_another_character(random, text):
    place = random.choice([index for index, char in enumerate(text) if char.isalnum()])
    old = text[place]
    others = "0123456789" if old.isdigit() else "abcdefghijklmnopqrstuvwxyz"
    new = random.choice([char for char in others if char != old.lower()])
    return text[:place] + new + text[place + 1 :]


def _written(table, column, key, row, text):
    value = f"%s::{_type(table, column)}" if connection.vendor == "postgresql" else "%s"
    try:
        with unchecked(), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE {table} SET {column} = {value} WHERE {key} = %s", [text, row])
            return cursor.rowcount == 1
    except DatabaseError:
        return False


def _type(table, column):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT data_type FROM information_schema.columns WHERE table_name = %s AND column_name = %s",
            [table, column],
        )
        return cursor.fetchone()[0]


@contextmanager
def unchecked():
    """Without foreign keys and, where the database can leave them out, without other constraints."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA foreign_keys = OFF")
            cursor.execute("PRAGMA ignore_check_constraints = ON")
        yield
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA ignore_check_constraints = OFF")
        return
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = DEFAULT")
