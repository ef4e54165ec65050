"""Small programs that measure, each printing `name: value` lines; `python -m bench.NAME` runs one.

They use the database of the settings, or one of their own that they make and remove; each says which.
"""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsdesk.settings")
django.setup()
