"""Rows for tests: each builder asks only for what its test is about."""

import itertools
from typing import Any

from loyalty.models import Audience, Member, Tier
from portal.tenancy.models import Membership, Tenant, User

_number = itertools.count(1)


def make_tenant(slug: str = "", **fields: Any) -> Tenant:
    slug = slug or f"tenant-{next(_number)}"
    return Tenant.objects.create(slug=slug, **{"name": slug.title(), **fields})


def make_user(tenant: Tenant | None = None, *, role: str = "owner", email: str = "", **fields: Any) -> User:
    """A person with the password “password”; with a tenant, in that role."""
    email = email or f"person-{next(_number)}@example.com"
    user = User.objects.create_user(email, **{"password": "password", **fields})
    if tenant is not None:
        Membership.objects.create(user=user, tenant=tenant, role=role)
    return user


def make_member(tenant: Tenant | None = None, external_id: str = "", **fields: Any) -> Member:
    """A member with a usable e-mail address, made without any service: no event, no mark, no audience."""
    external_id = external_id or f"C-{next(_number)}"
    fields.setdefault("email", f"{external_id.lower()}@example.com")
    return Member.objects.create(tenant=tenant or make_tenant(), external_id=external_id, **fields)


def make_tier(tenant: Tenant, slug: str = "gold", threshold: int = 1000, **fields: Any) -> Tier:
    return Tier.objects.create(
        tenant=tenant, slug=slug, threshold=threshold, **{"name": slug.title(), **fields}
    )


def make_audience(tenant: Tenant, slug: str = "", *, rule: object = None, **fields: Any) -> Audience:
    """An audience by rule, or a static one where there is none."""
    slug = slug or f"audience-{next(_number)}"
    return Audience.objects.create(
        tenant=tenant, slug=slug, rule=rule, is_static=rule is None, **{"name": slug.title(), **fields}
    )
