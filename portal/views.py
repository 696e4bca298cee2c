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
    """200 when the portal can take data in, otherwise 503; `attention` names what a person should look at."""
    found = health.report()
    is_ready = health.is_ready(found)
    answer = {
        "ready": is_ready,
        "attention": [name for name, problem in found.items() if problem],
        "checks": {name: problem or "ok" for name, problem in found.items()},
    }
    return JsonResponse(answer, status=200 if is_ready else 503)
