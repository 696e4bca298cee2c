"""What a planned fault does to a call."""

from __future__ import annotations

from integrations.klaviyo.sandbox import auth
from integrations.klaviyo.sandbox.errors import simple, throttled
from integrations.klaviyo.sandbox.faults import Fault, Kind
from integrations.klaviyo.sandbox.wire import Answer, Ending

_HTML = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
_HANG_SECONDS = 60.0
_SLOW_SECONDS = 2.0


def before_commit(fault: Fault, scopes: tuple[str, ...]) -> Answer:
    """The answer to a call whose work is not done."""
    if fault.kind is Kind.HTML_502:
        return Answer(502, _HTML, "text/html")
    if fault.kind is Kind.THROTTLE:
        raise throttled(max(1, round(fault.seconds or 1)))
    if fault.kind is Kind.REVOKED:
        raise auth.unauthorized(auth.BAD_KEY)
    if fault.kind is Kind.SCOPE_MISSING:
        raise auth.forbidden(fault.scope or scopes[0])
    if fault.kind is Kind.RESET:
        return Answer(0, pause_seconds=fault.seconds or 0, ending=Ending.RESET)
    if fault.kind is Kind.HANG:
        return Answer(0, pause_seconds=fault.seconds or _HANG_SECONDS, ending=Ending.DROP)
    raise simple(
        fault.status, "error", "A server error occurred.", f"Planned fault with status {fault.status}."
    )


def after_commit(fault: Fault, answer: Answer) -> Answer:
    """The answer to a call whose work is done, spoilt on its way back."""
    if fault.kind is Kind.TIMEOUT_AFTER_COMMIT:
        answer.ending, answer.pause_seconds = Ending.DROP, fault.seconds or 0
    elif fault.kind is Kind.BROKEN_JSON:
        answer.body = answer.body[: len(answer.body) // 2] if answer.body else b'{"data": {"ty'
    else:
        answer.pause_seconds = fault.seconds if fault.seconds is not None else _SLOW_SECONDS
    return answer
