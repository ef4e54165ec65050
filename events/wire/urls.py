"""The addresses for partners and machines, piece by piece."""

from events.wire import api, changes, entries, feeds, labels, machines, memento, writing

app_name = "wire"

urlpatterns = [
    *api.urlpatterns,
    *changes.urlpatterns,
    *entries.urlpatterns,
    *labels.urlpatterns,
    *writing.urlpatterns,
    *feeds.urlpatterns,
    *memento.urlpatterns,
    *machines.urlpatterns,
]
