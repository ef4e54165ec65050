"""What the desk's templates need to show: times in the site's zone, stages, and what may be done."""

from django import template

register = template.Library()
