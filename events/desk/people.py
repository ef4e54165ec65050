"""Who may come to the desk: logins, the second factor, lockouts, and the people that a chief manages."""

from django.http import HttpResponse


def client_ip(request) -> str:
    return request.META["REMOTE_ADDR"]


def locked_out(request, credentials, *args, **kwargs):
    return HttpResponse("Too many failed logins. Try again in a quarter of an hour.", status=429)
