"""What every test runs under."""

from pathlib import Path

import pytest
from django.conf import settings

pytest_plugins = ["tests.browsers"]

SHARED = Path(__file__).resolve().parents[2] / "shared"


def pytest_configure():
    # The manifest of hashed names is made by collectstatic, which tests do not need.
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"


def pytest_addoption(parser):
    parser.addoption("--database-only", action="store_true", help="leave out what asks no database")


def pytest_collection_modifyitems(config, items):
    for item in items:
        if "server" in item.fixturenames:
            item.add_marker("browser")
    if config.getoption("--database-only"):
        others = [item for item in items if not asks_the_database(item)]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if asks_the_database(item)]
    if SHARED.exists():
        return
    for item in items:
        if item.get_closest_marker("shared"):
            item.add_marker(pytest.mark.skip(reason="needs the directory `shared` beside the project"))


def asks_the_database(item):
    """Whether a test may end otherwise on another database. What a browser shows is asked there by the trials."""
    if item.get_closest_marker("browser"):
        return False
    return item.get_closest_marker("django_db") or {"db", "transactional_db", "live_server"} & set(item.fixturenames)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix, tmp_path_factory):
    """SQLite in a file of this run: locks are those of production, which a shared in-memory database does not have."""
    database = settings.DATABASES["default"]
    if database["ENGINE"] == "django.db.backends.sqlite3":
        database["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")
        # Locks are the same without waiting for the disk.
        database["OPTIONS"]["init_command"] += "; PRAGMA synchronous=OFF"
