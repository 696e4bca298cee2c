"""Tiers and audiences of a file; members follow at once, set by set."""

import json

from integrations.configuration.changes import Changes
from integrations.configuration.wanted import Wanted, WantedAudience
from integrations.errors import ConfigurationError
from loyalty.models import Audience, AudienceMember, Tier
from loyalty.rules.tiers import Step
from loyalty.services import audiences, tiers
from portal.tenancy.models import Tenant


def apply(tenant: Tenant, file: Wanted, changes: Changes) -> None:
    """Tiers before audiences: a rule may ask for a tier. Raises ConfigurationError."""
    _tiers(tenant, file.tiers, changes)
    stale = [audience.pk for wanted in file.audiences if (audience := _audience(tenant, wanted, changes))]
    if stale:
        audiences.refresh(tenant, audience_ids=stale)
        for audience in Audience.objects.filter(pk__in=stale).order_by("slug"):
            count = AudienceMember.objects.filter(audience=audience, left_at=None).count()
            changes.tell(
                f"audience {audience.slug}", f"now holds {count:,} member{'' if count == 1 else 's'}"
            )
    named = [wanted.slug for wanted in file.audiences]
    for slug in tenant.audiences.exclude(slug__in=named).order_by("slug").values_list("slug", flat=True):
        changes.leave(f"audience {slug}")


def _tiers(tenant: Tenant, steps: tuple[Step, ...], changes: Changes) -> None:
    present = {tier.slug: tier for tier in Tier.objects.filter(tenant=tenant)}
    told = [(step, words) for step in steps if (words := _tier_words(present.get(step.slug), step))]
    if told:
        try:
            moved = tiers.apply_definition(tenant, steps)
        except ValueError as error:
            raise ConfigurationError(f"tiers: {error}") from error
        for step, words in told:
            changes.tell(f"tier {step.slug}", words)
        if moved:
            changes.tell("tiers", f"{moved:,} member{'' if moved == 1 else 's'} moved")
    for slug in sorted(present.keys() - {step.slug for step in steps}):
        changes.leave(f"tier {slug}")


def _tier_words(tier: Tier | None, step: Step) -> str:
    if tier is None:
        return f"created, from {step.threshold:,} points"
    told = [f"name {tier.name} → {step.name}"] if tier.name != step.name else []
    if tier.threshold != step.threshold:
        told.append(f"threshold {tier.threshold:,} → {step.threshold:,}")
    return ", ".join(told)


def _audience(tenant: Tenant, wanted: WantedAudience, changes: Changes) -> Audience | None:
    """Create or change the row; return it where its rule is new, so that its members must be found."""
    what, is_static = f"audience {wanted.slug}", wanted.rule is None
    audience = Audience.objects.filter(tenant=tenant, slug=wanted.slug).first()
    if audience is None:
        audience = Audience.objects.create(
            tenant=tenant, slug=wanted.slug, name=wanted.name, is_static=is_static, rule=wanted.rule
        )
        changes.tell(what, "created, static" if is_static else "created")
        return None if is_static else audience
    if audience.name != wanted.name:
        changes.tell(what, f"name {audience.name} → {wanted.name}")
        audience.name = wanted.name
        audience.save(update_fields=["name"])
    if _text(audience.rule) == _text(wanted.rule):
        return None
    changes.tell(what, "static from now on, its members stay" if is_static else "rule changed")
    audience.is_static, audience.rule = is_static, wanted.rule
    audience.save(update_fields=["is_static", "rule"])
    return None if is_static else audience


def _text(rule: object) -> str:
    """As JSON, because Python takes 1 and true for the same."""
    return json.dumps(rule, sort_keys=True)
