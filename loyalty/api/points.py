"""Points by API: entries of the ledger in batches."""

from django.http import HttpRequest, HttpResponse
from ninja import Router

from loyalty.api import items
from loyalty.api.schemas_points import MAX_ENTRIES, EntryResults, PointsBatch
from loyalty.rules import ledger_entries
from loyalty.rules.ledger_entries import EntryInput
from loyalty.services import ledger
from loyalty.services.results import EntryResult
from portal.rest import bodies, documented
from portal.rest.bearer import tenant_of

router = Router(tags=["Points"])


@router.post(
    "/points/batch",
    summary="Earn, redeem and adjust points",
    response={200: EntryResults},
    openapi_extra=documented.call(body=PointsBatch, repeatable=True),
)
def post_points(request: HttpRequest) -> HttpResponse:
    """Post up to 1,000 entries. Each is answered on its own, with the balance after it.

    An entry's `idempotency_key` is good for ever: the same entry again is `repeated` and counts once;
    another entry under the same key is refused. A redemption beyond the balance is refused.
    """
    body = bodies.envelope(request, required=["entries"])
    read, refused = items.sift(
        body,
        body.items("entries", at_most=MAX_ENTRIES),
        _parse,
        named_by=("external_id", "idempotency_key"),
    )
    results = ledger.post(tenant_of(request), [found.item for found in read])
    answers = [_answer(found.index, result) for found, result in zip(read, results, strict=True)]
    return bodies.answer(items.in_order(answers, refused))


def _parse(raw: dict[str, object]) -> tuple[EntryInput | None, items.Texts, items.Texts]:
    entry, errors = ledger_entries.parse(raw)
    return entry, errors, ()


def _answer(index: int, result: EntryResult) -> items.Answer:
    told: items.Answer = {
        "index": index,
        "external_id": result.external_id,
        "idempotency_key": result.idempotency_key,
        "status": result.status,
    }
    if result.entry_id is not None:
        told["entry_id"] = result.entry_id
    if result.balance is not None:
        told["balance"] = result.balance
    return told | items.notes(result.errors, ())
