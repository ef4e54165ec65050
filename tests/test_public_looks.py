"""Every kind of public page, on telephones and on a desktop, by day and by night.

Nothing shuts anybody out, nothing scrolls sideways, nothing is in the console.
"""

import pytest

from tests.inspections import HEIGHT, Inspection
from tests.public_pages import places

pytestmark = [pytest.mark.trial, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

LEAST_WIDTH = 320


@pytest.fixture
def inspection():
    """Fails the test with all that it found, not with the first of it."""
    inspection = Inspection()
    yield inspection
    assert not inspection.problems, "\n".join(inspection.problems)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_every_page(sit_down, inspection, width, scheme):
    seat = sit_down(viewport={"width": width, "height": HEIGHT}, color_scheme=scheme, reduced_motion="reduce")
    for place in places():
        seat.expects = {place.status} - {200}
        inspection.visit(seat, place.path)


def test_no_page_is_too_wide_for_the_smallest_telephone(sit_down, inspection):
    seat = sit_down(viewport={"width": LEAST_WIDTH, "height": 568})
    for place in places():
        seat.expects = {place.status} - {200}
        inspection.go(seat, place.path)
        open_all(seat)
        inspection.measure(seat, place.path)


def open_all(seat):
    """What is folded must not be too wide either."""
    seat.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
