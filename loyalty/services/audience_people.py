"""People of a static audience, named as a person names them: by e-mail address or by the merchant's own id."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from loyalty.models import Audience, Member
from loyalty.services import audiences
from loyalty.services.results import StaticResult
from portal.tenancy.models import Tenant

AT_MOST = 5_000


@dataclass(frozen=True)
class Named:
    """`ids` are external ids by what was written; `shared` are addresses that several members have."""

    ids: dict[str, str]
    unknown: tuple[str, ...]
    shared: tuple[str, ...]


@dataclass(frozen=True)
class PeopleResult:
    done: StaticResult
    not_members: tuple[str, ...]  # asked to be removed, but not in; as they were written
    unknown: tuple[str, ...]
    shared: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        return not (self.not_members or self.unknown or self.shared)


def entries(text: str) -> list[str]:
    """What was pasted, each once: lines, or with commas, semicolons or tabs between."""
    listed = (entry.strip().strip('"').strip() for entry in re.split(r"[\r\n,;\t]", text))
    return list(dict.fromkeys(entry for entry in listed if entry))


def name(tenant: Tenant, written: Sequence[str]) -> Named:
    """Find the members by id, then those who are left by e-mail address. Two queries for any number."""
    asked = [entry for entry in written if "\0" not in entry]
    members = Member.objects.for_tenant(tenant)
    by_id = set(members.filter(external_id__in=asked).values_list("external_id", flat=True))
    addresses = {entry.lower() for entry in asked if entry not in by_id and "@" in entry}
    by_mail: dict[str, list[str]] = {}
    # `email > ''` is said so that the partial index serves.
    pairs = members.filter(email__gt="", email__in=addresses).values_list("email", "external_id")
    for email, external_id in pairs:
        by_mail.setdefault(email, []).append(external_id)
    owners = {entry: [entry] if entry in by_id else by_mail.get(entry.lower(), []) for entry in written}
    return Named(
        ids={entry: found[0] for entry, found in owners.items() if len(found) == 1},
        unknown=tuple(entry for entry, found in owners.items() if not found),
        shared=tuple(entry for entry, found in owners.items() if len(found) > 1),
    )


def add(audience: Audience, written: Sequence[str]) -> PeopleResult:
    """Put people into a static audience; who is not known changes nothing for the others."""
    named = name(audience.tenant, written)
    done = audiences.change_static(audience, add=sorted(set(named.ids.values())), remove=[])
    return _result(named, done)


def remove(audience: Audience, written: Sequence[str]) -> PeopleResult:
    """Take people out of a static audience."""
    named = name(audience.tenant, written)
    done = audiences.change_static(audience, add=[], remove=sorted(set(named.ids.values())))
    return _result(named, done)


def _result(named: Named, done: StaticResult) -> PeopleResult:
    gone, strangers = set(done.unknown), set(done.not_members)
    return PeopleResult(
        done=done,
        not_members=tuple(entry for entry, found in named.ids.items() if found in strangers),
        unknown=(*named.unknown, *(entry for entry, found in named.ids.items() if found in gone)),
        shared=named.shared,
    )
