"""What templates of both faces draw with: icons, badges, times, numbers in words."""

from datetime import datetime
from typing import Any

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal import wording

register = template.Library()

# Word of a state → (class, icon). States of runs, rows, batches, deliveries, connections.
LOOKS = {
    "good": ("good", "check"),
    "succeeded": ("good", "check"),
    "sent": ("good", "check"),
    "settled": ("good", "check"),
    "ok": ("good", "check"),
    "running": ("busy", "busy"),
    "sending": ("busy", "busy"),
    "settling": ("busy", "busy"),
    "accepted": ("busy", "clock"),
    "busy": ("busy", "busy"),
    "waiting": ("attention", "clock"),
    "attention": ("attention", "warn"),
    "partly_failed": ("attention", "warn"),
    "failed": ("bad", "cross"),
    "rejected": ("bad", "cross"),
    "dead": ("bad", "cross"),
    "bad": ("bad", "cross"),
    "held": ("held", "pause"),
    "queued": ("quiet", "clock"),
    "open": ("quiet", "clock"),
    "planned": ("quiet", "clock"),
    "off": ("quiet", "off"),
}


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon beside a text: hidden from screen readers."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        static("portal/icons.svg"),
        name,
    )


@register.simple_tag
def badge(state: str, words: str) -> SafeString:
    """A state with its text and icon; never colour alone."""
    look, picture = LOOKS.get(state, ("quiet", "dot"))
    return format_html('<span class="badge badge-{}">{}{}</span>', look, icon(picture), words)


@register.simple_tag
def when(moment: datetime | None, empty: str = "–") -> SafeString | str:
    """Relative time; the exact one, with its zone, on hover and for machines."""
    if moment is None:
        return empty
    local = timezone.localtime(moment)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        moment.isoformat(timespec="seconds"),
        local.strftime("%-d %B %Y, %H:%M:%S %Z"),
        wording.ago(moment, timezone.now()),
    )


@register.simple_tag
def place_url(name: str, slug: str, keys: tuple[object, ...] = ()) -> str:
    """The address of a tenant's page by its name and keys, where both are values."""
    return reverse(name, args=[slug, *keys])


@register.filter
def signed(points: int) -> str:
    return f"+{intcomma(points)}" if points > 0 else f"−{intcomma(abs(points))}"


@register.filter
def lasted(seconds: float | None) -> str:
    return wording.duration(seconds)


@register.filter
def shown(value: Any) -> str:
    """A JSON value as a person reads it."""
    return wording.value(value)
