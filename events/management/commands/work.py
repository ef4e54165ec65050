import datetime
import logging
import signal
import time
from contextlib import contextmanager

from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError, close_old_connections, connection, transaction
from django.utils import timezone
from django.utils.crypto import get_random_string
from django_tasks import DEFAULT_TASK_BACKEND_ALIAS, TaskResultStatus
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from events import publishing, pushing, tasks
from events.models import LogHead

logger = logging.getLogger(__name__)

LONGEST_PAUSE = 30  # seconds, while the database does not answer
TIDYING = datetime.timedelta(hours=1)
RESULTS_KEPT = datetime.timedelta(days=7)
# One that runs for so long runs no more: its process died. Another takes it up, but not for more than a day.
LONGEST_TASK = pushing.LEASE
TAKEN_UP = datetime.timedelta(days=1)


class Command(BaseCommand):
    help = "Log what falls due, tell webhooks and hubs what is new, tidy up. Any number of these may run."

    def add_arguments(self, parser):
        parser.add_argument("--once", action="store_true", help="do all that is due, then exit; for cron")

    def handle(self, *, once, **options):
        self.worker = worker()
        self.stops = False
        self.settled = self.tidied = None
        with self.ending_by_signal():
            if once:
                self.work_off()
            else:
                self.work_on()

    def work_off(self):
        while not self.stops and self.work():
            pass

    def work_on(self):
        failures = 0
        while not self.stops:
            close_old_connections()
            try:
                self.work_off()
                failures = 0
            except (OperationalError, InterfaceError) as error:
                failures += 1
                logger.warning("The database does not answer, it will be asked again: %s", error)
                connection.close()
            self.rest(min(2**failures, LONGEST_PAUSE))

    def rest(self, seconds):
        """A second at a time, since a signal does not end it."""
        for _second in range(seconds):
            if not self.stops:
                time.sleep(1)

    def work(self) -> bool:
        """What is due now, but one task only, so that none of it waits for the others; whether there was anything."""
        at = timezone.now()
        self.settle(at)
        self.tidy(at)
        is_followed = pushing.is_behind() and tasks.follow(at)
        is_claimed = pushing.is_due(at) and tasks.claim(at)
        return self.run_task() or is_followed or is_claimed

    def settle(self, at):
        minute = at.replace(second=0, microsecond=0)
        if minute == self.settled:
            return
        if LogHead.objects.end(at).is_behind:
            publishing.settle()
        self.settled = minute

    def tidy(self, at):
        if self.tidied and self.tidied <= at < self.tidied + TIDYING:
            return
        pushing.forget_old(at)
        DBTaskResult.objects.finished().filter(finished_at__lt=at - RESULTS_KEPT).delete()
        lost = DBTaskResult.objects.running().filter(started_at__lt=at - LONGEST_TASK)
        lost.filter(enqueued_at__lt=at - TAKEN_UP).delete()
        lost.update(status=TaskResultStatus.READY)
        self.tidied = at

    def run_task(self) -> bool:
        ready = DBTaskResult.objects.ready().filter(backend_name=DEFAULT_TASK_BACKEND_ALIAS)
        # Looked for first: SQLite has one lock only, which the next lines take.
        if not ready.exists():
            return False
        with transaction.atomic():
            result = ready.get_locked()
            if result:
                result.claim(self.worker.worker_id)
        if result:
            self.worker.run_task(result)
        return result is not None

    @contextmanager
    def ending_by_signal(self):
        """The first TERM or INT lets what is at hand be finished, the second one does not."""
        former = {number: signal.signal(number, self.stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)

    def stop(self, number, frame):
        self.stops = True
        signal.signal(number, signal.SIG_DFL)


def worker() -> Worker:
    """That of django-tasks, whose own loop looks for nothing but tasks, and closes connections within a transaction."""
    return Worker(
        queue_names=["*"],
        excluded_queue_names=[],
        backend_name=DEFAULT_TASK_BACKEND_ALIAS,
        worker_id=get_random_string(32),
        batch=True,
        max_tasks=None,
        interval=0,
        startup_delay=False,
    )
