"""What partners are given and told: keys to the API with their receipts, and webhooks with what was sent to them."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from events import texts
from events.models.record import LogEntry


class KeyQuerySet(models.QuerySet):
    def active(self, at):
        return self.filter(models.Q(expires=None) | models.Q(expires__gt=at), revoked=None)

    def partners(self, at):
        """The active keys whose holders follow the log: those whose receipts the desk watches."""
        return self.active(at).filter(follows=True).select_related("receipt").order_by("name")


class Key(models.Model):
    """A key to the API. What it is made of is shown once; stored is its digest, which opens nothing."""

    name = models.CharField(max_length=texts.MAX_NAME, help_text="Whom it was given to, and for what.")
    start = models.CharField(max_length=12, editable=False, help_text="How the key begins, to tell keys apart.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    follows = models.BooleanField(default=True, help_text="Follows the log: the desk sees how far it has come.")
    writes = models.BooleanField(default=False, help_text="Creates, revises and submits drafts.")
    publishes = models.BooleanField(default=False, help_text="Publishes what its person may publish.")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="In whose name it writes; nobody for a key that only reads.",
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+")
    created = models.DateTimeField(default=timezone.now, editable=False)
    expires = models.DateTimeField(null=True, blank=True)
    revoked = models.DateTimeField(null=True, editable=False)
    used = models.DateTimeField(null=True, editable=False, help_text="When it was last used, to the minute.")

    objects = KeyQuerySet.as_manager()

    class Meta:
        ordering = ["-created", "-pk"]
        default_permissions = ["view", "change"]
        constraints = [
            models.CheckConstraint(condition=~models.Q(name=""), name="key_has_name"),
            models.CheckConstraint(
                condition=models.Q(writes=False, publishes=False) | models.Q(user__isnull=False),
                name="key_writes_for_somebody",
            ),
        ]

    def __str__(self):
        return self.name

    def is_active(self, at) -> bool:
        return self.revoked is None and (self.expires is None or self.expires > at)


class Receipt(models.Model):
    """How far the holder of a key has come in the log: the last `seq` that was given to it, and that it said it has."""

    key = models.OneToOneField(Key, models.CASCADE, primary_key=True, related_name="receipt")
    fetched = models.PositiveBigIntegerField(default=0)
    fetched_at = models.DateTimeField(null=True)
    acknowledged = models.PositiveBigIntegerField(default=0)
    acknowledged_at = models.DateTimeField(null=True)

    def __str__(self):
        return f"key row {self.key_id}: {self.fetched}"

    @property
    def seq(self) -> int:
        return max(self.fetched, self.acknowledged)


class Answer(models.Model):
    """What a request to write was answered, kept so that the same request sent again is answered and not done twice."""

    key = models.ForeignKey(Key, models.CASCADE, related_name="answers")
    token = models.CharField(max_length=255, help_text="The request's Idempotency-Key.")
    request = models.CharField(max_length=64, help_text="A digest of its method, address and body.")
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField(default=dict)
    body = models.TextField()
    created = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        default_permissions = []
        constraints = [models.UniqueConstraint(fields=["key", "token"], name="answer_once_per_token")]

    def __str__(self):
        return f"key row {self.key_id}: {self.token}"


class Webhook(models.Model):
    """An address of a partner that is told, by a POST, that something new stands in the log."""

    name = models.CharField(max_length=texts.MAX_NAME)
    url = models.CharField(max_length=texts.MAX_URL)
    secret = models.CharField(max_length=64, editable=False, help_text="What the signatures are made with.")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+")
    created = models.DateTimeField(default=timezone.now, editable=False)
    ended = models.DateTimeField(null=True, editable=False)
    reason = models.CharField(max_length=300, blank=True, editable=False, help_text="Why it ended.")

    class Meta:
        ordering = ["name", "pk"]
        default_permissions = ["view", "change"]
        constraints = [models.CheckConstraint(condition=~models.Q(name=""), name="webhook_has_name")]

    def __str__(self):
        return self.name


class Delivery(models.Model):
    """One entry of the log on its way to one webhook. Holds no text of an entry."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DELIVERED = "delivered"
        DEAD = "dead"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries")
    entry = models.ForeignKey(LogEntry, models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due = models.DateTimeField(help_text="When it is tried next.")
    status = models.PositiveSmallIntegerField(null=True, help_text="What the last attempt was answered.")
    problem = models.CharField(max_length=300, blank=True, help_text="Why the last attempt failed.")
    created = models.DateTimeField(default=timezone.now)
    done = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "deliveries"
        default_permissions = []
        indexes = [models.Index(fields=["due"], condition=models.Q(state="waiting"), name="delivery_waiting")]
        constraints = [
            models.UniqueConstraint(fields=["webhook", "entry"], name="delivery_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=["waiting", "delivered", "dead"]), name="delivery_state_known"
            ),
        ]

    def __str__(self):
        return f"{self.entry_id} to webhook row {self.webhook_id}"


class Outbox(models.Model):
    """How far in the log partners have been told of what is new, one row; its lock is that of whoever tells them."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    seq = models.PositiveBigIntegerField(default=0)

    class Meta:
        default_permissions = []
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="outbox_is_one_row")]

    def __str__(self):
        return str(self.seq)
