"""The work of one upsert: lock, merge, write what differs, and all that follows from it."""

from collections.abc import Iterable
from datetime import datetime

from loyalty.models import ErasedMember, Member
from loyalty.rules.member_input import MemberInput
from loyalty.rules.member_merge import BLANK, COLUMNS, Draft
from loyalty.rules.tombstones import digest
from loyalty.services import audiences, consent, rowset, tiers
from loyalty.services.consent import ConsentAct
from loyalty.services.marks import mark_dirty, sharing
from loyalty.services.outbox import Happening, append
from loyalty.services.results import ItemResult
from portal.tenancy.models import Tenant

Numbered = list[tuple[int, MemberInput]]
_ERASED = "external_id: this person was erased on request. Nothing can be stored under this id again."


class Writing:
    """Collects results and what is to follow, over as many rounds as concurrent writers make necessary."""

    def __init__(self, tenant: Tenant, *, source: str, now: datetime) -> None:
        self.tenant = tenant
        self.source = source
        self.now = now
        self.results: dict[int, ItemResult] = {}
        self.created: set[int] = set()
        self.changed: set[int] = set()
        self.joined: dict[int, Draft] = {}
        self.acts: list[ConsentAct] = []
        self.consenting: dict[int, int] = {}
        self.tier_id: int | None = None
        self.addresses: dict[str, set[str]] = {"email": set(), "phone": set()}

    def work_through(self, items: Numbered) -> Numbered:
        """Merge and write; return the items of members whom somebody else created meanwhile."""
        drafts = self._lock({item.external_id for _, item in items})
        erased = self._erased({item.external_id for _, item in items} - drafts.keys())
        outcomes: list[tuple[int, MemberInput, str]] = []
        for place, item in items:
            if item.external_id in erased:
                self.results[place] = ItemResult(place, item.external_id, "refused", errors=(_ERASED,))
                continue
            outcomes.append((place, item, self._merge(drafts, item)))
        self._update(draft for draft in drafts.values() if draft.member_id is not None and draft.is_changed)
        self._insert([draft for draft in drafts.values() if draft.member_id is None])
        for place, item, status in outcomes:
            self._note(place, item, status, drafts[item.external_id])
        self.joined |= {d.member_id: d for d in drafts.values() if d.member_id is not None and d.has_joined}
        return [(place, item) for place, item, _ in outcomes if drafts[item.external_id].member_id is None]

    def finish(self, *, events: bool, history: bool) -> None:
        """Consent, tiers, events and audiences of those who were written, and their marks."""
        told = self.acts and consent.write(self.acts, source=self.source)
        for place, member_id in self.consenting.items():
            result = self.results[place]
            if told and member_id in told and result.status == "unchanged":
                self.results[place] = ItemResult(
                    place, result.external_id, "updated", warnings=result.warnings, member_id=member_id
                )
        self.changed |= self.created | set(told or ())
        tiers.note_start(self.tier_id, self.created, now=self.now)
        if events:
            append(self.tenant.pk, [self._joining(draft) for draft in self.joined.values()], history=history)
        audiences.follow(self.tenant, self.changed, now=self.now)
        twins = sharing(self.tenant.pk, self.addresses["email"], self.addresses["phone"])
        mark_dirty(self.tenant.pk, self.changed | twins)

    def _lock(self, external_ids: set[str]) -> dict[str, Draft]:
        rows = (
            Member.objects.filter(tenant=self.tenant, external_id__in=external_ids)
            .order_by("pk")
            .select_for_update(no_key=True)
            .values_list("pk", "external_id", *COLUMNS)
        )
        return {
            external_id: Draft(
                external_id,
                values := dict(zip(COLUMNS, kept, strict=True)),
                member_id,
                state_before=str(values["state"]),
                contacts_before=(str(values["email"]), str(values["phone"])),
            )
            for member_id, external_id, *kept in rows
        }

    def _erased(self, external_ids: set[str]) -> set[str]:
        """Looked up after the lock: an erasure that ran meanwhile has left its stone by now."""
        stones = {digest(self.tenant.pk, "external_id", name): name for name in external_ids}
        found = ErasedMember.objects.filter(tenant=self.tenant, digest__in=stones)
        return {stones[stone] for stone in found.values_list("digest", flat=True)} if stones else set()

    def _merge(self, drafts: dict[str, Draft], item: MemberInput) -> str:
        draft = drafts.get(item.external_id)
        if draft is None:
            draft = drafts[item.external_id] = Draft(item.external_id, dict(BLANK))
            draft.merge(item.values)
            return "created"
        return "updated" if draft.merge(item.values) else "unchanged"

    def _update(self, drafts: Iterable[Draft]) -> None:
        drafts = list(drafts)
        rows = [(draft.member_id, *self._row(draft), self.now) for draft in drafts]
        rowset.update(Member, ("id", *COLUMNS, "updated_at"), rows)
        self.changed.update(int(str(row[0])) for row in rows)
        for draft in drafts:
            for kind, before in zip(("email", "phone"), draft.contacts_before, strict=True):
                if draft.values[kind] != before:
                    self.addresses[kind] |= {before, str(draft.values[kind])} - {""}

    def _insert(self, drafts: list[Draft]) -> None:
        """In the order of their ids: two calls that create the same people cannot wait in a circle."""
        zero = dict.fromkeys(("points_balance", "points_lifetime", "points_expiring_next"), 0)
        zero |= dict.fromkeys(("email_consent", "sms_consent"), "")  # type: ignore[arg-type]
        self.tier_id = tiers.first_tier_id(self.tenant) if drafts else None
        tier_since = self.now if self.tier_id else None
        rest = {
            **zero,
            "tier": self.tier_id,
            "tier_since": tier_since,
            "created_at": self.now,
            "updated_at": self.now,
        }
        names = ("tenant", "external_id", *COLUMNS, *rest)
        rows = [
            (self.tenant.pk, draft.external_id, *self._row(draft), *rest.values())
            for draft in sorted(drafts, key=lambda draft: draft.external_id)
        ]
        tail = "ON CONFLICT (tenant_id, external_id) DO NOTHING RETURNING external_id, id"
        ids = dict(rowset.insert(Member, names, rows, tail=tail))
        for draft in drafts:
            draft.member_id = ids.get(draft.external_id)
        self.created.update(ids.values())

    def _row(self, draft: Draft) -> list[object]:
        if draft.has_joined and draft.values["enrolled_at"] is None and self.source != "csv":
            draft.values["enrolled_at"] = self.now
        return [draft.values[name] for name in COLUMNS]

    def _note(self, place: int, item: MemberInput, status: str, draft: Draft) -> None:
        if draft.member_id is None:
            return
        self.results[place] = ItemResult(
            place,
            item.external_id,
            status,  # type: ignore[arg-type]
            member_id=draft.member_id,
        )
        if item.consents:
            self.acts.extend(ConsentAct(draft.member_id, given) for given in item.consents)
            self.consenting[place] = draft.member_id

    def _joining(self, draft: Draft) -> Happening:
        enrolled_at = draft.values["enrolled_at"]
        at = enrolled_at if isinstance(enrolled_at, datetime) else self.now
        values = {"Source": self.source, "Member Id": draft.external_id, "Occurred At": at}
        return Happening(draft.member_id or 0, "member_joined", values, at, f"member:{draft.member_id}")
