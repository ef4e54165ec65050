"""Hands the desk to Django."""

from django.contrib import admin
from django.contrib.auth.models import User

from events.desk.auditing import AuditEntryAdmin
from events.desk.categories import CategoryAdmin
from events.desk.entries import EventAdmin
from events.desk.keys import KeyAdmin
from events.desk.people import PeopleAdmin
from events.desk.policies import PolicyAdmin
from events.desk.receipts import ReceiptAdmin
from events.desk.topics import TopicAdmin
from events.desk.webhooks import WebhookAdmin
from events.models import AuditEntry, Category, CorrectionsPolicy, Event, Key, Receipt, Topic, Webhook

admin.site.register(Event, EventAdmin)
admin.site.register(Topic, TopicAdmin)
admin.site.register(Category, CategoryAdmin)
admin.site.register(CorrectionsPolicy, PolicyAdmin)
admin.site.register(Key, KeyAdmin)
admin.site.register(Receipt, ReceiptAdmin)
admin.site.register(Webhook, WebhookAdmin)
admin.site.register(User, PeopleAdmin)
admin.site.register(AuditEntry, AuditEntryAdmin)
