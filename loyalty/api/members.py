"""Members by API: in batches, and one by one under the merchant's own id."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from ninja import Router

from loyalty.api import items
from loyalty.api.member_shown import show
from loyalty.api.schemas_members import (
    MAX_MEMBERS,
    MemberPut,
    MemberResults,
    MemberSaved,
    MembersBatch,
    MemberShown,
)
from loyalty.models import Member
from loyalty.rules import member_input
from loyalty.rules.member_input import MemberInput
from loyalty.services import members
from loyalty.services.results import ItemResult
from portal.rest import bodies, documented
from portal.rest.bearer import tenant_of
from portal.rest.problems import Problem, fault, not_found
from portal.tenancy.models import Tenant

router = Router(tags=["Members"])

SOURCE = "api"


@router.post(
    "/members/batch",
    summary="Create and change members",
    response={200: MemberResults},
    openapi_extra=documented.call(body=MembersBatch, repeatable=True),
)
def upsert_members(request: HttpRequest) -> HttpResponse:
    """Create or change up to 1,000 members. Each is answered on its own; a bad one is refused alone.

    What is left out stays as it is. Two items for one member count in their order.
    """
    body = bodies.envelope(request, required=["members"])
    read, refused = items.sift(
        body, body.items("members", at_most=MAX_MEMBERS), member_input.parse, named_by=["external_id"]
    )
    results = members.upsert(tenant_of(request), [found.item for found in read], source=SOURCE)
    answers = [
        _answer(found.index, result, found.warnings) for found, result in zip(read, results, strict=True)
    ]
    return bodies.answer(items.in_order(answers, refused))


@router.get(
    "/members/{path:external_id}",
    summary="One member",
    response={200: MemberShown},
    openapi_extra=documented.call(problems=(404,)),
)
def get_member(request: HttpRequest, external_id: str) -> HttpResponse:
    """The id is yours; percent-encode what an address cannot hold. Slashes may stand as they are."""
    return bodies.answer(show(_member(tenant_of(request), external_id)))


@router.put(
    "/members/{path:external_id}",
    summary="Create or change one member",
    response={200: MemberSaved, 201: MemberSaved},
    openapi_extra=documented.call(body=MemberPut, problems=(404, 410)),
)
def put_member(request: HttpRequest, external_id: str) -> HttpResponse:
    """The same as a batch of one: fields left out stay as they are. 201 where the member is new.

    410 for an id whose person was erased on request: nothing can be stored under it again. 404 for an id
    that no address can hold, such as one with a line break: send such a member in a batch.
    """
    body = bodies.object_of(request)
    objection = body.objection(body.values)
    if objection:
        raise Problem(422, "invalid-member", f"The body {objection}.")
    item, warnings = _read(body.values, external_id)
    [result] = members.upsert(tenant_of(request), [item], source=SOURCE)
    if result.status == "refused":
        raise Problem(410, "member-erased", " ".join(result.errors))
    saved = show(_member(tenant_of(request), item.external_id))
    status = HTTPStatus.CREATED if result.status == "created" else HTTPStatus.OK
    return bodies.answer(
        saved | {"status": result.status, "warnings": [*warnings, *result.warnings]}, status=status
    )


@router.delete(
    "/members/{path:external_id}",
    summary="Erase one member",
    response={204: None},
    openapi_extra=documented.call(problems=(404,)),
)
def erase_member(request: HttpRequest, external_id: str) -> HttpResponse:
    """Forget the person here and in every connection, history and all. It cannot be undone.

    A digest of the id stays, so that nothing brings them back: the id is 404 afterwards, and refused
    in batches.
    """
    token = getattr(request, "auth", None)
    members.erase(_member(tenant_of(request), external_id), by=f"API token “{getattr(token, 'name', '')}”")
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


# A member may be called “batch”; the address of the batch call must not hide them.
@router.get("/members/batch", include_in_schema=False)
def get_member_called_batch(request: HttpRequest) -> HttpResponse:
    return get_member(request, "batch")


@router.put("/members/batch", include_in_schema=False)
def put_member_called_batch(request: HttpRequest) -> HttpResponse:
    return put_member(request, "batch")


@router.delete("/members/batch", include_in_schema=False)
def erase_member_called_batch(request: HttpRequest) -> HttpResponse:
    return erase_member(request, "batch")


def _member(tenant: Tenant, external_id: str) -> Member:
    is_possible = "\0" not in external_id  # PostgreSQL would not even look
    listed = Member.objects.for_tenant(tenant).select_related("tier")
    found = listed.filter(external_id=external_id).first() if is_possible else None
    if found is None:
        raise not_found("There is no member with this external_id.")
    return found


def _read(values: dict[str, object], external_id: str) -> tuple[MemberInput, items.Texts]:
    given = values.get("external_id", external_id)
    if not isinstance(given, str | int) or str(given).strip() != external_id:
        detail = "must be left out, or be the id of the address"
        errors = [fault("/external_id", detail)]
        raise Problem(422, "invalid-member", "The body is about another member.", errors=errors)
    item, refusals, warnings = member_input.parse(values | {"external_id": external_id})
    if item is None:
        errors = [fault("/" + text.partition(":")[0], text.partition(": ")[2] or text) for text in refusals]
        raise Problem(422, "invalid-member", "The member cannot be stored like this.", errors=errors)
    return item, warnings


def _answer(index: int, result: ItemResult, warnings: items.Texts) -> items.Answer:
    told: items.Answer = {"index": index, "external_id": result.external_id, "status": result.status}
    return told | items.notes(result.errors, (*warnings, *result.warnings))
