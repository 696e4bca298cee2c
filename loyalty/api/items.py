"""Lists in and out: each item is read on its own, those that can be read go to a service together."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from portal.rest.bodies import Envelope

Item = TypeVar("Item")
Texts = tuple[str, ...]
Answer = dict[str, object]


@dataclass(frozen=True)
class Read(Generic[Item]):
    """An item that was read, with its place in the call."""

    index: int
    item: Item
    warnings: Texts = ()


@dataclass(frozen=True)
class Refused:
    """An item that could not be read, with its place and whatever names it."""

    index: int
    names: dict[str, str]
    errors: Texts
    warnings: Texts = ()

    def answer(self) -> Answer:
        return {"index": self.index, **self.names, "status": "refused", **notes(self.errors, self.warnings)}


def sift(
    body: Envelope,
    raw: Sequence[object],
    parse: Callable[[dict[str, object]], tuple[Item | None, Texts, Texts]],
    *,
    named_by: Iterable[str],
) -> tuple[list[Read[Item]], list[Refused]]:
    """Read each item; those that cannot be read are refused with what their `named_by` fields hold."""
    read: list[Read[Item]] = []
    refused: list[Refused] = []
    for index, given in enumerate(raw):
        objection = body.objection(given)
        if objection:
            refused.append(Refused(index, _names(given, named_by), (f"The item {objection}.",)))
            continue
        item, errors, warnings = parse(given)  # type: ignore[arg-type]  # an object: there was no objection
        if item is None:
            refused.append(Refused(index, _names(given, named_by), errors, warnings))
        else:
            read.append(Read(index, item, warnings))
    return read, refused


def notes(errors: Texts, warnings: Texts) -> Answer:
    """Errors and warnings as an answer has them: left out where there are none."""
    told: Answer = {"errors": list(errors)} if errors else {}
    return told | ({"warnings": list(warnings)} if warnings else {})


def in_order(answers: Iterable[Answer], refused: Iterable[Refused]) -> dict[str, list[Answer]]:
    """The body of an answer: one result for each item, in their order."""
    results = [*answers, *(item.answer() for item in refused)]
    return {"results": sorted(results, key=lambda answer: int(str(answer["index"])))}


def _names(given: object, fields: Iterable[str]) -> dict[str, str]:
    """What the sender may know the item by, cut to a length that can be shown."""
    told = given if isinstance(given, dict) else {}
    return {name: _shown(told.get(name)) for name in fields}


def _shown(value: object) -> str:
    is_scalar = isinstance(value, str | int) and not isinstance(value, bool)
    return str(value)[:255] if is_scalar else ""
