"""Pages for what went wrong: what happened, what is safe, what to do, and a number to refer to."""

import logging
import secrets

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

logger = logging.getLogger(__name__)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    why = str(exception) if isinstance(exception, PermissionDenied) else ""
    return render(request, "403.html", {"why": why, "reference": _reference(request, 403)}, status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "404.html", {"reference": _reference(request, 404)}, status=404)


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form's own key is missing or old, as after signing in again in another tab."""
    context = {"is_stale_form": True, "reference": _reference(request, 403)}
    return render(request, "403.html", context, status=403)


def broken(request: HttpRequest) -> HttpResponse:
    """Drawn without a request: nothing that may be broken itself (database, session) is asked."""
    page = render_to_string("500.html", {"reference": _reference(request, 500)})
    return HttpResponse(page, status=500)


def _reference(request: HttpRequest, status: int) -> str:
    """A short number that stands in the log beside the address."""
    reference = secrets.token_hex(4).upper()
    level = logging.ERROR if status >= 500 else logging.INFO
    logger.log(level, "%s at %s, reference %s", status, request.path, reference)
    return reference
