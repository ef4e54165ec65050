from django.db import migrations

# Tokens hold no ASCII punctuation, and this tokenizer takes everything else for a part of a word. A migration that
# makes the table of rows anew, as SQLite needs for most changes of a column, has to make the triggers anew as well.
SQLITE = [
    """
    CREATE VIRTUAL TABLE events_search USING fts5(
        head, body, content='events_searchrow', content_rowid='edition_id', tokenize='ascii', prefix='1 2 3'
    )
    """,
    """
    CREATE TRIGGER events_search_insert AFTER INSERT ON events_searchrow BEGIN
        INSERT INTO events_search (rowid, head, body) VALUES (new.edition_id, new.head, new.body);
    END
    """,
    """
    CREATE TRIGGER events_search_delete AFTER DELETE ON events_searchrow BEGIN
        INSERT INTO events_search (events_search, rowid, head, body)
            VALUES ('delete', old.edition_id, old.head, old.body);
    END
    """,
    """
    CREATE TRIGGER events_search_update AFTER UPDATE ON events_searchrow BEGIN
        INSERT INTO events_search (events_search, rowid, head, body)
            VALUES ('delete', old.edition_id, old.head, old.body);
        INSERT INTO events_search (rowid, head, body) VALUES (new.edition_id, new.head, new.body);
    END
    """,
]
SQLITE_BACK = [
    "DROP TRIGGER events_search_update",
    "DROP TRIGGER events_search_delete",
    "DROP TRIGGER events_search_insert",
    "DROP TABLE events_search",
]
# A position is 16,383 at most. PostgreSQL's own parser, which would take words apart in its own way, is never asked.
POSTGRESQL = [
    """
    CREATE FUNCTION events_search_lexemes(words text, weight text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURNS NULL ON NULL INPUT AS $$
        SELECT coalesce(string_agg('''' || word || ''':' || least(place, 16383) || weight, ' '), '')::tsvector
        FROM unnest(string_to_array(btrim(words, ' '), ' ')) WITH ORDINALITY AS listed (word, place)
        WHERE word <> ''
    $$
    """,
    """
    CREATE FUNCTION events_search_fill() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        new.vector := events_search_lexemes(new.head, 'A') || events_search_lexemes(new.body, 'D');
        RETURN new;
    END
    $$
    """,
    "ALTER TABLE events_searchrow ADD COLUMN vector tsvector NOT NULL DEFAULT ''",
    """
    CREATE TRIGGER events_search_fill BEFORE INSERT OR UPDATE ON events_searchrow
        FOR EACH ROW EXECUTE FUNCTION events_search_fill()
    """,
    # Without a list of what is still to be put in, which each search would read through until it is emptied.
    "CREATE INDEX events_search_vector ON events_searchrow USING gin (vector) WITH (fastupdate = off)",
    # What is counted by year and category, with the key, which each index of SQLite holds anyway.
    """
    CREATE INDEX events_search_entries ON events_edition (category_id, date)
        INCLUDE (id, issued, superseded, event_id) WHERE document IS NOT NULL
    """,
]
POSTGRESQL_BACK = [
    "DROP INDEX events_search_entries",
    "DROP INDEX events_search_vector",
    "DROP TRIGGER events_search_fill ON events_searchrow",
    "ALTER TABLE events_searchrow DROP COLUMN vector",
    "DROP FUNCTION events_search_fill()",
    "DROP FUNCTION events_search_lexemes(text, text)",
]


def forwards(apps, schema_editor):
    _run(schema_editor, {"sqlite": SQLITE, "postgresql": POSTGRESQL})


def backwards(apps, schema_editor):
    _run(schema_editor, {"sqlite": SQLITE_BACK, "postgresql": POSTGRESQL_BACK})


def _run(schema_editor, statements):
    for statement in statements[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    """The database's own index of the words, and the triggers that keep it in step with the rows."""

    dependencies = [("events", "0016_search_row")]

    operations = [migrations.RunPython(forwards, backwards)]
