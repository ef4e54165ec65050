import secrets

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.urls import reverse

from events.permissions import ROLES

# Small letters and digits without those that look alike; 16 of them are 79 bits.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


class Command(BaseCommand):
    help = "Make a reporter, an editor and a chief with generated passwords, which are shown this once."

    def add_arguments(self, parser):
        parser.add_argument("--if-none", action="store_true", help="do nothing if there is any user")

    def handle(self, *, if_none, **options):
        if if_none and User.objects.exists():
            return
        logins = {role: (role.lower(), password()) for role in ROLES}
        with transaction.atomic():
            self.refuse_taken([name for name, _password in logins.values()])
            for role, login in logins.items():
                make(role, *login)
        self.stdout.write(f"logins for {settings.NEWSDESK_URL}{reverse('admin:index')} (shown once, so keep them):")
        for name, shown in logins.values():
            self.stdout.write(f"  {name:<8}  {shown}")

    def refuse_taken(self, names):
        taken = User.objects.filter(username__in=names).values_list("username", flat=True)
        if taken:
            raise CommandError(f"these names are taken: {', '.join(sorted(taken))}. Nothing was changed.")


def password() -> str:
    return "-".join("".join(secrets.choice(ALPHABET) for _letter in range(4)) for _group in range(4))


def make(role, name, password):
    user = User.objects.create_user(name, password=password, is_staff=True)
    user.groups.add(Group.objects.get(name=role))
