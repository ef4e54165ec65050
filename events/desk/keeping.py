"""The forms whose text the browser keeps until it is saved: each has an id, which comes back once that is so.

The id is a signed uid. A new entry takes it as its own, so that a form that is sent twice makes one entry.
"""

import uuid
from urllib.parse import urlencode

from django.core.signing import BadSignature, Signer

_signer = Signer(salt="events.desk.form")


def form_id(request) -> str:
    """The id of the form that was sent, or a new one."""
    return request.POST["form_id"] if uid(request) else _signer.sign(str(uuid.uuid4()))


def uid(request) -> uuid.UUID | None:
    """The uid in the id of the form that was sent; only one that was given out here counts."""
    try:
        return uuid.UUID(_signer.unsign(request.POST.get("form_id", "")))
    except (BadSignature, ValueError):
        return None


def saved(request, url: str) -> str:
    """Where to go after what was typed is saved; there, the browser is told to forget it."""
    return f"{url}?{urlencode({'saved': request.POST['form_id']})}" if uid(request) else url
