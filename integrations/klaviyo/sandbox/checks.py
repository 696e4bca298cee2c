"""Request bodies against the API description: what Klaviyo refuses is an error, what it swallows is a
violation to look at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from integrations.klaviyo.sandbox.errors import ApiError, Json, invalid_object, missing_object


class Checks:
    """Collects the errors of one body, so that one answer names them all, and breaches of the description."""

    def __init__(self) -> None:
        self.errors: list[Json] = []
        self.violations: list[tuple[str, str]] = []

    def refuse(self, detail: str, pointer: str) -> None:
        """Data that Klaviyo refuses although its form is right, such as a malformed address."""
        self.errors.append(invalid_object(detail, pointer))

    def breach(self, detail: str, pointer: str, *, is_fatal: bool = True) -> None:
        """A body that the description does not allow."""
        self.violations.append((pointer, detail))
        if is_fatal:
            self.refuse(detail, pointer)

    def missing(self, name: str, pointer: str) -> None:
        self.violations.append((f"{pointer}/{name}", f"'{name}' is missing"))
        self.errors.append(missing_object(name, f"{pointer}/{name}"))

    def finish(self) -> None:
        """Refuse the call when anything was wrong."""
        if self.errors:
            raise ApiError(400, self.errors)

    def mapping(
        self,
        parent: dict[str, Any],
        name: str,
        pointer: str,
        *,
        required: bool = True,
        nullable: bool = False,
    ) -> dict[str, Any]:
        """An object inside another; {} when it is absent or wrong, which is noted."""
        value = parent.get(name)
        if value is None and (not required or nullable):
            return {}
        if name not in parent:
            self.missing(name, pointer)
            return {}
        if not isinstance(value, dict):
            self.breach(f"'{name}' must be an object.", f"{pointer}/{name}")
            return {}
        return value

    def array(
        self, parent: dict[str, Any], name: str, pointer: str, *, required: bool = True
    ) -> list[dict[str, Any]]:
        """An array of objects; what is no object is noted and left out as {}."""
        if name not in parent and not required:
            return []
        if name not in parent:
            self.missing(name, pointer)
            return []
        value = parent[name]
        if not isinstance(value, list):
            self.breach(f"'{name}' must be an array.", f"{pointer}/{name}")
            return []
        for index, item in enumerate(value):
            if not isinstance(item, dict):
                self.breach("Each item must be an object.", f"{pointer}/{name}/{index}")
        return [item if isinstance(item, dict) else {} for item in value]

    def keys(self, value: dict[str, Any], allowed: Iterable[str], pointer: str, resource: str) -> None:
        """Unknown attribute keys are refused by name, as Klaviyo does."""
        for name in value.keys() - set(allowed):
            self.breach(f"'{name}' is not a valid field for the resource '{resource}'.", f"{pointer}/{name}")

    def stray(self, value: dict[str, Any], allowed: Iterable[str], pointer: str) -> None:
        """Unknown keys outside `attributes` are without effect at Klaviyo, which is worse than a refusal."""
        for name in value.keys() - set(allowed):
            self.breach(f"'{name}' is not known here and has no effect.", f"{pointer}/{name}", is_fatal=False)

    def resource(self, value: dict[str, Any], kind: str, pointer: str, keys: Iterable[str] = ()) -> None:
        """`type` of a resource object, and the keys beside it."""
        if value.get("type") != kind:
            self.breach(f"'type' must be '{kind}'.", f"{pointer}/type")
        self.stray(value, {"type", *keys}, pointer)

    def typed(
        self, value: dict[str, Any], name: str, pointer: str, test: Callable[[Any], bool], what: str
    ) -> Any:
        """The value of an optional key when its type is right, else None."""
        found = value.get(name)
        if found is None:
            return None
        if not test(found):
            self.breach(f"'{name}' must be {what}.", f"{pointer}/{name}")
            return None
        return found

    def text(self, value: dict[str, Any], name: str, pointer: str) -> str | None:
        found: str | None = self.typed(value, name, pointer, lambda item: isinstance(item, str), "a string")
        return found

    def flag(self, value: dict[str, Any], name: str, pointer: str) -> bool:
        return bool(self.typed(value, name, pointer, lambda item: isinstance(item, bool), "a boolean"))

    def choice(self, value: dict[str, Any], name: str, pointer: str, allowed: tuple[str, ...]) -> str | None:
        what = "one of " + ", ".join(allowed)
        found: str | None = self.typed(value, name, pointer, lambda item: item in allowed, what)
        return found
