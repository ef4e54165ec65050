"""What is wrong with a page that a browser shows: for whom axe speaks, and what is wider than the window."""

from axe_playwright_python.sync_playwright import Axe

# Preloading would put style sheets into the page, which the policy refuses and the console tells.
RULES = {"resultTypes": ["violations"], "preload": False}
# One that axe leaves out unless asked; what an open list covers is no small target.
ALL_RULES = RULES | {"rules": {"target-size": {"enabled": True}}}
# All of nearly every page, so that what is fixed to the window covers nothing of it.
HEIGHT = 6000
SIDEWAYS = "document.scrollingElement.scrollWidth - window.innerWidth"


class Inspection:
    """Looks at what a seat shows, and keeps what is wrong with it."""

    def __init__(self):
        self.axe, self.problems = Axe(), []

    def look_at(self, seat, called, rules=ALL_RULES):
        found = self.axe.run(seat.page, options=rules).response["violations"]
        for one in found:
            places = [place["html"][:150] for place in one["nodes"]]
            self.problems.append(f"{called}: {one['id']} ({one['help']}) at {places}")
        self.measure(seat, called)

    def measure(self, seat, called):
        if (pixels := seat.page.evaluate(SIDEWAYS)) > 0:
            self.problems.append(f"{called}: {pixels} pixels too wide")

    def visit(self, seat, path):
        self.go(seat, path)
        self.look_at(seat, path)

    def go(self, seat, path):
        answer = seat.go(path)
        if answer.status not in seat.expects | {200}:
            self.problems.append(f"{path}: {answer.status}")
        if answer.url != seat.url + path:
            self.problems.append(f"{path} leads to {answer.url}")
