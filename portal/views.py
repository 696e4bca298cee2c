"""The portal's own addresses."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from portal import health


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is asked."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when everything works; otherwise 503 and what is wrong, in words."""
    found = health.report()
    problems = [problem for problem in found.values() if problem]
    checks = {name: problem or "ok" for name, problem in found.items()}
    return JsonResponse({"ready": not problems, "checks": checks}, status=503 if problems else 200)
