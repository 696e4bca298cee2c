"""Which function serves which endpoint."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from integrations.klaviyo.sandbox.call import Call
from integrations.klaviyo.sandbox.endpoints import ENDPOINTS
from integrations.klaviyo.sandbox.errors import ApiError, error_object
from integrations.klaviyo.sandbox.wire import Answer


class Match(NamedTuple):
    """An endpoint as the API description writes it, its function, and the ids in the path."""

    endpoint: str
    function: Callable[[Call], Answer]
    path_ids: tuple[str, ...]


_Methods = dict[str, tuple[str, Callable[[Call], Answer]]]


def _compile() -> tuple[dict[str, _Methods], list[tuple[re.Pattern[str], _Methods]]]:
    plain: dict[str, _Methods] = {}
    patterns: dict[str, _Methods] = {}
    for endpoint, function in ENDPOINTS.items():
        method, _, template = endpoint.partition(" ")
        form = re.sub(r"\\{[a-z_]+\\}", "([^/]+)", re.escape(template))
        target = patterns if "{" in template else plain
        target.setdefault(form if "{" in template else template, {})[method] = (endpoint, function)
    return plain, [(re.compile(form), methods) for form, methods in patterns.items()]


_PLAIN, _PATTERNS = _compile()


def find(method: str, path: str) -> Match:
    """The endpoint for a call; 404 for an unknown path, 405 for a method that it does not take."""
    trimmed = path.rstrip("/")
    path_ids: tuple[str, ...] = ()
    methods = _PLAIN.get(trimmed)
    if methods is None:
        methods, path_ids = _by_pattern(trimmed)
    if methods is None:
        detail = f"The path {path} could not be found."
        raise ApiError(404, [error_object(404, "not_found", "Not found.", detail, pointer="/data/")])
    if method not in methods:
        error = error_object(
            405, "method_not_allowed", "Method not allowed.", f'Method "{method}" not allowed.'
        )
        raise ApiError(405, [error], {"Allow": ", ".join(sorted(methods))})
    endpoint, function = methods[method]
    return Match(endpoint, function, path_ids)


def _by_pattern(path: str) -> tuple[_Methods | None, tuple[str, ...]]:
    for pattern, methods in _PATTERNS:
        match = pattern.fullmatch(path)
        if match is not None:
            return methods, match.groups()
    return None, ()
