from django.core.management.base import BaseCommand, CommandError

from events import verifying
from events.models import LogHead


class Command(BaseCommand):
    help = "Check the whole record against itself; exit 1 and name the first row that is wrong."

    def add_arguments(self, parser):
        parser.add_argument(
            "--head", metavar="SEQ:HASH", help="an entry that a partner was once given, against a cut log"
        )
        parser.add_argument("--all", action="store_true", help="name every row that is wrong, not only the first")

    def handle(self, *, head, all, **options):
        findings = verifying.problems(head)
        first = next(findings, None)
        if first is None:
            self.stdout.write(f"The record is whole. Its head is {LogHead.objects.get()}.")
            return
        for finding in findings if all else ():
            self.stderr.write(finding)
        raise CommandError(first)
