"""Klaviyo's template language as far as our tags use it: Django's, and a filter of its own."""

from django.template import Library

register = Library()


@register.filter
def lookup(found: object, key: str) -> object:
    """What stands under the key, nothing where there is none."""
    if isinstance(found, list):
        return found[int(key)]
    return found.get(key, "") if isinstance(found, dict) else ""
