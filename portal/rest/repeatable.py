"""The header Idempotency-Key: a POST that may be sent again until an answer comes."""

import hashlib
import re
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from portal.rest import bodies
from portal.rest.bearer import tenant_of
from portal.rest.problems import Problem
from portal.tenancy import idempotency

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]

HEADER = "Idempotency-Key"
MAX_LENGTH = 255


def repeatable(view: View[P]) -> View[P]:
    """Give every POST its effect once per key. Other methods are repeatable by nature and pass.

    Only an answer that did something (2xx) is kept. A refusal did nothing, so its key may be used
    again with a corrected body.
    """

    @wraps(view)
    def call(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if request.method != "POST" or HEADER not in request.headers:
            return view(request, *args, **kwargs)
        found = _claim(request, _key(request))
        if isinstance(found, idempotency.StoredReply):
            return _replay(found)
        try:
            with transaction.atomic():
                response = view(request, *args, **kwargs)
                idempotency.complete(found, status=response.status_code, body=response.content.decode())
            return response
        except idempotency.ClaimLost as error:
            raise _running(
                "It took so long that another call took over; nothing was done by this one."
            ) from error
        except Exception:
            idempotency.release(found)
            raise

    return call


def _key(request: HttpRequest) -> str:
    key = request.headers[HEADER].strip()
    if not re.fullmatch(rf"[\x21-\x7e]{{1,{MAX_LENGTH}}}", key):
        sentence = f"{HEADER} must be 1 to {MAX_LENGTH} visible ASCII characters, such as a UUID."
        raise Problem(400, "invalid-idempotency-key", sentence)
    return key


def _claim(request: HttpRequest, key: str) -> idempotency.Claim | idempotency.StoredReply:
    asked = hashlib.sha256(request.get_full_path().encode() + b"\n" + bodies.raw(request)).hexdigest()
    try:
        return idempotency.claim(tenant_of(request).pk, key=key, path=request.path, fingerprint=asked)
    except idempotency.KeyUsedOtherwise as error:
        sentence = f"This {HEADER} was used with another body in the last 24 hours. Use a new key."
        raise Problem(422, "idempotency-key-reused", sentence) from error
    except idempotency.StillRunning as error:
        raise _running("The first call with this key is still running. Send it again in a moment.") from error


def _running(sentence: str) -> Problem:
    return Problem(409, "idempotency-key-in-use", sentence, headers={"Retry-After": "1"})


def _replay(reply: idempotency.StoredReply) -> HttpResponse:
    return HttpResponse(
        reply.body, status=reply.status, content_type=bodies.JSON, headers={"Idempotency-Replayed": "true"}
    )
