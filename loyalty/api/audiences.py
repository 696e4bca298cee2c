"""Static audiences by API: who joins and who leaves."""

from django.http import HttpRequest, HttpResponse
from ninja import Router

from loyalty.api.schemas_audiences import MAX_IDS, AudienceChange, AudienceChanged
from loyalty.models import Audience
from loyalty.services import audiences
from portal.rest import bodies, documented
from portal.rest.bearer import tenant_of
from portal.rest.bodies import Envelope
from portal.rest.problems import Fault, Problem, fault, not_found

router = Router(tags=["Audiences"])


@router.post(
    "/audiences/{slug}/members",
    summary="Change who is in a static audience",
    response={200: AudienceChanged},
    openapi_extra=documented.call(body=AudienceChange, problems=(404, 409), repeatable=True),
)
def change_members(request: HttpRequest, slug: str) -> HttpResponse:
    """Add and remove members by your own ids, up to 10,000 in one call.

    Ids that no member has are answered in `unknown`, what is no id in `refused`; the others are done.
    A member named under both leaves.
    An audience with a rule follows its rule alone: it is answered with 409.
    """
    audience = _audience(request, slug)
    body = bodies.envelope(request, required=(), optional=("add", "remove"))
    add, bad_add = _ids(body, "add")
    remove, bad_remove = _ids(body, "remove")
    _check(add, remove)
    done = audiences.change_static(audience, add=add, remove=remove)
    answer = {
        "added": done.added,
        "removed": done.removed,
        "already": done.already,
        "not_members": list(done.not_members),
        "unknown": list(done.unknown),
    }
    refused = [*bad_add, *bad_remove]
    return bodies.answer(answer | ({"refused": refused} if refused else {}))


def _audience(request: HttpRequest, slug: str) -> Audience:
    # A NUL cannot be stored, so no audience is named by one; PostgreSQL would not even look.
    found = None if "\0" in slug else Audience.objects.filter(tenant=tenant_of(request), slug=slug).first()
    if found is None:
        raise not_found("There is no such audience.")
    if not found.is_static:
        sentence = (
            f"“{found.name}” follows a rule, so nobody can be put in or taken out by hand. "
            "Change its rule, or use a static audience."
        )
        raise Problem(409, "audience-follows-a-rule", sentence)
    return found


def _ids(body: Envelope, key: str) -> tuple[list[str], list[Fault]]:
    """The ids under `key`, texts or whole numbers as many systems have them; then what is none."""
    ids: list[str] = []
    refused: list[Fault] = []
    for index, value in enumerate(body.items(key, at_most=MAX_IDS)):
        is_id = isinstance(value, str | int) and not isinstance(value, bool)
        objection = body.text_objection(value) if is_id else "must be text"
        if objection:
            refused.append(fault(f"/{key}/{index}", objection))
        else:
            ids.append(str(value).strip())
    return ids, refused


def _check(add: list[str], remove: list[str]) -> None:
    if len(add) + len(remove) > MAX_IDS:
        sentence = f"“add” and “remove” may hold {MAX_IDS:,} ids together. Make several calls."
        raise Problem(422, "too-many-items", sentence)
