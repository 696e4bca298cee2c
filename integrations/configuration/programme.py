"""Checks the part of a file that is about people and the programme: tenant, users, tiers, audiences."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email, validate_slug
from django.db import models

from integrations.configuration.parts import Part, refuse_twins
from integrations.configuration.wanted import WantedAudience, WantedTenant, WantedUser
from loyalty import audience_query
from loyalty.rules.audience_rules import RuleError
from loyalty.rules.tiers import Step, definition_errors
from portal.tenancy.models import Role, Tenant, User
from portal.tenancy.secrets import Secret

MAX_THRESHOLD = 2**53


def tenant(part: Part) -> WantedTenant:
    wanted = WantedTenant(
        slug=part.text("slug", limit=50, check=_field_of_tenant("slug")),
        name=part.text("name", limit=200, default="") or None,
        timezone=part.text("timezone", limit=64, default="", check=_field_of_tenant("timezone")) or None,
        currency=part.text("currency", limit=3, default="", check=_field_of_tenant("currency")) or None,
    )
    part.done()
    return wanted


def _field_of_tenant(name: str) -> Callable[[str], str]:
    column = cast("models.Field[Any, Any]", Tenant._meta.get_field(name))
    return _django(column.run_validators)


def _django(check: Callable[[str], Any]) -> Callable[[str], str]:
    """A check of Django as one of ours; its sentence is kept."""

    def checked(text: str) -> str:
        try:
            check(text)
        except ValidationError as error:
            raise ValueError(" ".join(error.messages)) from None
        return text

    return checked


def users(parts: list[Part]) -> tuple[WantedUser, ...]:
    found = [_user(part) for part in parts]
    refuse_twins((part, "email", user.email) for part, user in zip(parts, found, strict=True))
    return tuple(found)


def _user(part: Part) -> WantedUser:
    email = part.text("email", limit=254, check=lambda text: _django(validate_email)(text).lower())
    role = part.choice("role", Role.values)
    password = part.take("password")
    part.done()
    if password is None:
        return WantedUser(email, role)
    if not isinstance(password, str) or not password:
        part.refuse("password", "must be text, in quotes. Leave it out to have a link to set it printed.")
        return WantedUser(email, role)
    try:
        validate_password(password, User(email=email))
    except ValidationError as error:
        part.refuse("password", " ".join(error.messages))
    return WantedUser(email, role, Secret(password))


def tiers(parts: list[Part], whole: Part) -> tuple[Step, ...]:
    found = []
    for part in parts:
        slug = part.text("slug", limit=50, check=_django(validate_slug))
        name = part.text("name", limit=100, default=slug.title())
        found.append(Step(slug, name, part.whole("threshold", least=0, most=MAX_THRESHOLD)))
        part.done()
    for sentence in () if whole.problems else definition_errors(found):
        whole.refuse("tiers", sentence)
    return tuple(found)


def audiences(parts: list[Part]) -> tuple[WantedAudience, ...]:
    found = [_audience(part) for part in parts]
    refuse_twins((part, "slug", audience.slug) for part, audience in zip(parts, found, strict=True))
    return tuple(found)


def _audience(part: Part) -> WantedAudience:
    slug = part.text("slug", limit=60, check=_django(validate_slug))
    name = part.text("name", limit=120, default=slug.replace("-", " ").capitalize())
    rule, is_static = part.take("rule"), part.flag("static", False)
    part.done()
    if is_static and rule is not None:
        part.refuse("static", "an audience is either static or has a rule. Take one away.")
    elif not is_static and rule is None:
        part.refuse("rule", "is missing. An audience has a rule, or static: true.")
    elif rule is not None:
        _check_rule(part, slug, rule)
    return WantedAudience(slug, name, rule)


def _check_rule(part: Part, slug: str, rule: object) -> None:
    """The problems of a rule begin with their path inside it: rule.all[1]: …; what is told names the audience."""
    try:
        audience_query.parse(rule)
    except RuleError as error:
        for problem in error.problems:
            place, _, words = problem.partition(": ")
            part.refuse(place, f"{words[:-1]} (audience {slug})." if slug else words)
