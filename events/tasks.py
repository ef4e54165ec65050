"""What is done later, by `manage.py work`, and what puts it in the queue. What it means stands in `pushing`."""

import datetime
import logging

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django_tasks import task

from events import pushing

logger = logging.getLogger(__name__)

# Minutes from each report that a hub did not take to the next one.
HUB_BACK_OFF = [1, 10, 60]


@transaction.atomic
def follow(at: datetime.datetime) -> bool:
    """Put what the next entries of the log ask for in the queue; whether there were any."""
    span = pushing.follow(at)
    for hub in settings.NEWSDESK_HUBS if span else ():
        report.enqueue(hub, *span)
    return span is not None


@transaction.atomic
def claim(at: datetime.datetime) -> bool:
    """Put the deliveries that are due in the queue; whether there were any."""
    batches = pushing.claim(at)
    for batch in batches:
        deliver.enqueue(*batch)
    return bool(batches)


@task()
def deliver(deliveries: list[int], until: str) -> None:
    pushing.deliver(pushing.Batch(deliveries, until))


@task()
def report(hub: str, before: int, upto: int, failures: int = 0) -> None:
    problem = pushing.report(hub, before, upto)
    if problem and failures < len(HUB_BACK_OFF):
        later = timezone.now() + datetime.timedelta(minutes=HUB_BACK_OFF[failures])
        report.using(run_after=later).enqueue(hub, before, upto, failures + 1)
    elif problem:
        logger.warning("The hub %s was not told of what is new: %s", hub, problem)
