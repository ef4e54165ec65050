"""The project: settings, addresses and the WSGI entry. The newsroom itself is in `events`."""

__version__ = "0.1.0"
