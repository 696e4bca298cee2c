"""What a list of members shows: the filters in its address, and those that others add.

What stands above the programme registers a filter of its own when its app is ready (`register`); the
programme does not know what it asks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.db.models import QuerySet

from loyalty.models import Audience, Member, MemberState, Tier
from loyalty.services import members as members_service
from portal.tenancy.models import Tenant

Narrow = Callable[[QuerySet[Member], Tenant], QuerySet[Member]]
NO_TIER = "none"
CHIPS = 8  # audiences that get a chip


@dataclass(frozen=True)
class Extra:
    """A filter that somebody else knows how to answer."""

    label: str
    narrow: Narrow


_extras: dict[str, Extra] = {}


def register(key: str, label: str, narrow: Narrow) -> None:
    """Offer the filter `only=<key>`. Once for each key, when the app is ready."""
    _extras[key] = Extra(label, narrow)


@dataclass(frozen=True)
class Chip:
    """One filter to switch on or off: `key`=`value` in the address."""

    key: str
    value: str
    label: str
    is_on: bool


@dataclass(frozen=True)
class MemberFilter:
    """What the address asks for; a value that nobody knows finds everybody."""

    text: str = ""
    state: str = ""
    tier: str = ""
    audience: str = ""
    only: str = ""

    @classmethod
    def asked(cls, given: Mapping[str, str]) -> "MemberFilter":
        return cls(
            given.get("q", "").strip(),
            given.get("state", ""),
            given.get("tier", ""),
            given.get("audience", ""),
            given.get("only", ""),
        )

    @property
    def is_narrow(self) -> bool:
        return any((self.state, self.tier, self.audience, self.only))

    def members(self, tenant: Tenant) -> QuerySet[Member]:
        """The tenant's members that it lets through, in no order."""
        found: QuerySet[Member] = Member.objects.for_tenant(tenant)
        if self.text:
            found = found.filter(pk__in=members_service.find([tenant.pk], self.text))
        if self.state in MemberState.values:
            found = found.filter(state=self.state)
        if self.tier == NO_TIER:
            found = found.filter(tier=None)
        elif self.tier:
            found = found.filter(tier__slug=self.tier)
        if self.audience:
            found = found.filter(
                audience_memberships__audience__slug=self.audience, audience_memberships__left_at=None
            )
        if self.only in _extras:
            found = _extras[self.only].narrow(found, tenant)
        return found

    def chips(self, tenant: Tenant) -> list[list[Chip]]:
        """All filters in groups, as chips; two queries."""
        tiers = [(tier.slug, tier.name) for tier in Tier.objects.filter(tenant=tenant).order_by("threshold")]
        audiences = list(Audience.objects.filter(tenant=tenant).order_by("name").values_list("slug", "name"))
        shown = [pair for number, pair in enumerate(audiences) if number < CHIPS or pair[0] == self.audience]
        groups = [
            self._group("state", [(state.value, state.label) for state in MemberState]),
            self._group("tier", [*tiers, (NO_TIER, "No tier")] if tiers else []),
            self._group("audience", shown),
            self._group("only", [(key, extra.label) for key, extra in _extras.items()]),
        ]
        return [group for group in groups if group]

    def _group(self, key: str, pairs: list[tuple[str, str]]) -> list[Chip]:
        return [Chip(key, value, label, getattr(self, key) == value) for value, label in pairs]
