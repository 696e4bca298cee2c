"""Audiences made and changed by people: the row, then who belongs, in one transaction."""

import hashlib
import json
from dataclasses import dataclass

from auditlog.models import LogEntry
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from loyalty import audience_query
from loyalty.models import Audience, Member
from loyalty.services import audiences
from loyalty.services.results import RefreshCounts
from portal.runtime.queue import enqueue
from portal.tenancy.models import Tenant

# Above so many members of the tenant, who joins and leaves is left to the queue.
AT_ONCE = 20_000
_LONGEST = 60


class SlugTaken(ValueError):
    """Another audience of the tenant has this short name."""


class ChangedMeanwhile(ValueError):
    """Somebody else changed the audience since it was read; `audience` is as it is now."""

    def __init__(self, audience: Audience) -> None:
        super().__init__(f"“{audience.name}” was changed meanwhile.")
        self.audience = audience


@dataclass(frozen=True)
class Saved:
    """`moved` is None where members join and leave later, by the queue."""

    audience: Audience
    moved: RefreshCounts | None


def create(tenant: Tenant, *, name: str, slug: str, rule: object) -> Saved:
    """A new audience; one without a rule is static. Raises RuleError and SlugTaken."""
    if rule is not None:
        audience_query.parse(rule)
    try:
        with transaction.atomic():
            audience = Audience.objects.create(
                tenant=tenant, name=name, slug=slug, rule=rule, is_static=rule is None
            )
            return Saved(audience, _follow(audience) if rule is not None else RefreshCounts())
    except IntegrityError as error:
        if Audience.objects.filter(tenant=tenant, slug=slug).exists():
            raise SlugTaken(slug) from error
        raise


@transaction.atomic
def change(audience: Audience, *, name: str, rule: object, revision: str) -> Saved:
    """Change name and rule of the audience that somebody read at `revision`.

    Raises RuleError, and ChangedMeanwhile where it is another by now. A static one keeps its people.
    """
    # Without the key: who joins it meanwhile points at it, and may have the members that we need next.
    locked = Audience.objects.select_for_update(of=("self",), no_key=True)
    kept = locked.select_related("tenant").get(pk=audience.pk)
    if revision_of(kept) != revision:
        raise ChangedMeanwhile(kept)
    if kept.is_static:
        rule = None
    elif not same(kept.rule, rule):
        audience_query.parse(rule)
    has_new_rule = not same(kept.rule, rule)
    kept.name, kept.rule = name, rule
    kept.save(update_fields=["name", "rule"])
    return Saved(kept, _follow(kept) if has_new_rule else RefreshCounts())


def revision_of(audience: Audience) -> str:
    """A short mark of what people can change: another name or rule has another."""
    told = json.dumps([audience.name, audience.rule], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:24]


def changed_by(audience: Audience) -> str:
    """Who changed it last, by the audit trail; empty where nobody is named."""
    entry = LogEntry.objects.get_for_object(audience).select_related("actor").order_by("-timestamp").first()
    return str(entry.actor) if entry and entry.actor else ""


def free_slug(tenant: Tenant, name: str) -> str:
    """A short name made of the name, with a number where it is taken."""
    made = slugify(name)[: _LONGEST - 5].strip("-_") or "audience"
    taken = set(Audience.objects.filter(tenant=tenant, slug__startswith=made).values_list("slug", flat=True))
    numbered = (f"{made}-{number}" for number in range(2, len(taken) + 3))
    return next(slug for slug in (made, *numbered) if slug not in taken)


def same(one: object, other: object) -> bool:
    """As JSON, because Python takes 1 and true for the same."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _follow(audience: Audience) -> RefreshCounts | None:
    if Member.objects.for_tenant(audience.tenant).order_by("pk")[AT_ONCE : AT_ONCE + 1].exists():
        enqueue("loyalty.tasks.refresh_audiences", audience.tenant_id, lane="bulk")
        return None
    return audiences.refresh(audience.tenant, audience_ids=[audience.pk])
