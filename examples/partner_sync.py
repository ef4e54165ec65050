"""Mirrors a newsroom's public record into a folder and checks it: partner_sync.py https://news.example.org FOLDER.

It may be killed at any moment: chain.jsonl, the log without any text, is written before its changes are made in
events/, state.json after; what the chain has beyond that is undone at the start. docs/partner.md tells the rest.
"""

import argparse
import fcntl
import hashlib
import http.client
import json
import os
import sys
import time
import urllib.request
from pathlib import Path

START = {"seq": 0, "hash": "0" * 64, "cursor": "", "event": None, "kind": None}
HASHED = ("seq", "kind", "event", "edition", "occurred", "recorded", "commitment", "previous")


class Mirror:
    def __init__(self, folder, site, key=None):
        self.events, self.place, self.unfinished = folder / "events", folder / "state.json", folder / "unfinished"
        self.events.mkdir(parents=True, exist_ok=True)
        self.site, self.key = site.rstrip("/"), key
        self.chain = (folder / "chain.jsonl").open("a+")
        fcntl.flock(self.chain, fcntl.LOCK_EX)  # one at a time

    def follow(self):
        """Go on to the end of the log; returns the last entry."""
        acts = self.undo_beyond(json.loads(self.place.read_text())["seq"] if self.place.exists() else 0)
        while entries := (page := self.page_after(acts[-1], 500)).get("entries"):
            for entry in entries:
                verify(entry, acts[-1])
                acts.append({name: entry[name] for name in (*HASHED, "hash", "cursor")})
            print(*map(json.dumps, acts[-len(entries) :]), sep="\n", file=self.chain, flush=True)
            os.fsync(self.chain.fileno())
            self.make(entries)
            self.write(self.place, acts[-1])
        if "common" not in page:
            return acts[-1]
        ours = acts[page["common"]["seq"]]  # the log was restored from an older backup
        self.write(self.place, ours if ours["hash"] == page["common"]["hash"] else START)
        return self.follow()

    def undo_beyond(self, seq):
        """Bring the events that the chain names beyond `seq` to where the acts up to there left them; returns those."""
        self.unfinished.unlink(missing_ok=True)
        self.chain.seek(0)
        lines = [line for line in self.chain if line.endswith("\n")]
        acts = [START, *map(json.loads, lines)]
        self.make(acts[seq + 1 :])
        events = {act["event"] for act in acts[seq + 1 :]} - {None}
        last = {act["event"]: act for act in acts[: seq + 1] if act["event"] in events and act["kind"] != "redact"}
        for act in last.values():
            before = acts[act["seq"] - 1]
            found = self.page_after(before, 1).get("entries", [])
            self.make(verify(entry, before) for entry in found if entry["hash"] == act["hash"])
        self.chain.truncate(sum(map(len, lines[:seq])))
        return acts[: seq + 1]

    def make(self, entries):
        """Make the changes of these entries: a file where there is a text, none where it is not public (by now)."""
        for entry in [entry for entry in entries if entry["event"]]:
            path = self.events / f"{Path(entry['event']).name}.json"
            if entry.get("document"):
                self.write(path, entry)
            elif entry["kind"] != "redact":  # then it is a former version, which is not kept here
                path.unlink(missing_ok=True)

    def write(self, path, value):
        with self.unfinished.open("w", encoding="utf-8") as file:
            print(json.dumps(value, ensure_ascii=False), file=file, flush=True)
            os.fsync(file.fileno())
        self.unfinished.replace(path)

    def page_after(self, place, limit):
        """A page of the log, or the problem that it has forked; tries again while nobody answers or has time to."""
        after = f"&after={place['cursor']}" if place["seq"] else ""
        request = urllib.request.Request(f"{self.site}/api/changes/?include=document&limit={limit}{after}")
        if self.key:
            request.add_unredirected_header("Authorization", f"Bearer {self.key}")
        for wait in (1, 2, 4, 8, 16, 32, 60):  # seconds, unless the answer says how many
            try:
                return json.load(urllib.request.urlopen(request, timeout=60))
            except (OSError, ValueError, http.client.HTTPException) as error:
                problem, status, headers = error, getattr(error, "code", 503), getattr(error, "headers", {})
            if status == 409:
                return json.load(problem)
            if status < 500 and status != 429:
                sys.exit(f"{request.full_url}: {problem}. {problem.read().decode()}")
            time.sleep(int(headers["Retry-After"]) if headers.get("Retry-After", "").isdecimal() else wait)
        sys.exit(f"{request.full_url}: {problem}. Try again later; nothing is lost.")


def verify(entry, before):
    """The entry, if it follows the one before and, where this is public, says what it committed to; else the end."""
    said = {"document": entry["document"], "note": entry["note"], "slug": entry["slug"] or ""}
    is_told = entry["document"] or (entry["note"] and entry["kind"] in ("withdraw", "topic-merge", "topic-rename"))
    is_kept = not is_told or digest(said, entry["salt"] or "") == entry["commitment"]
    follows = (entry["seq"] - 1, entry["previous"]) == (before["seq"], before["hash"])
    if not (is_kept and follows and digest({name: entry[name] for name in HASHED}) == entry["hash"]):
        sys.exit(f"Entry {before['seq'] + 1} does not verify. Nothing from it on is taken; ask the newsroom.")
    return entry


def digest(value, salt=""):
    """RFC 8785 for what occurs here: no fractions, and keys of ASCII, whose order as UTF-16 is the same."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(bytes.fromhex(salt) + text.encode()).hexdigest()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("site", help="such as https://news.example.org")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--key", help="one that follows the log, for a receipt")
    print("Everything up to {seq}:{hash} is here.".format(**Mirror(**vars(parser.parse_args())).follow()))
