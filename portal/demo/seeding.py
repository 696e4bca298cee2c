"""Makes the demo tenants once; what a visitor changed since stays as it is."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone

from integrations.configuration import applying, reading
from integrations.errors import DestinationError
from integrations.models import AlertSettings, Extension, Health, RunKind, RunTrigger
from integrations.services import connections, sync
from loyalty.models import Audience, Member
from loyalty.rules import ledger_entries, member_input
from loyalty.services import audiences, ledger, members
from portal import demo_people
from portal.demo import ledgers, people, practice
from portal.tenancy import invitations, tokens
from portal.tenancy.models import Role, Tenant, User

# Keys name their account of the practice Klaviyo.
KEYS = {"demo": "pk_demo_0123456789abcdef", "harbour": "pk_harbour_0123456789abcdef"}
SEED = 20_260
AT_ONCE = 1_000
NEWS = timedelta(days=2)  # what is younger is told as it happens, the rest is history
# More than so many per cent of a run: the addresses that the practice Klaviyo refuses are enough for an alert.
FAILED_SHARE = 2
NAMES = {
    "owner@demo.example": ("Nora", "Fernhill"),
    "manager@demo.example": ("Kwame", "Ellis"),
    "viewer@demo.example": ("Isla", "Murray"),
    "staff@demo.example": ("Sam", "Tremaine"),
    "support@demo.example": ("Priya", "Sood"),
}
# Who signs in to the admin: their groups.
STAFF: Mapping[str, str] = {"staff@demo.example": "Staff", "support@demo.example": "Support"}
ADMIN = "admin@demo.example"
_HARBOUR = (
    {
        "external_id": "H-1",
        "email": "siobhan.byrne@example.com",
        "first_name": "Siobhán",
        "last_name": "Byrne",
    },
    {"external_id": "H-2", "email": "tadhg.walsh@example.com", "first_name": "Tadhg", "last_name": "Walsh"},
)


def seed(sandbox_url: str) -> list[str]:
    """Make what is missing; return what was done, a line each."""
    told = []
    with transaction.atomic():
        told += _staff()
        if not Tenant.objects.filter(slug="demo").exists():
            told += _fernhill(sandbox_url)
        if not Tenant.objects.filter(slug="birch").exists():
            told += _birch()
        if not Tenant.objects.filter(slug="harbour").exists():
            told += _harbour(sandbox_url)
    return told + [line for slug in KEYS for line in _connection(slug, sandbox_url)]


def _staff() -> list[str]:
    told = []
    for email, group in STAFF.items():
        if not User.objects.filter(email=email).exists():
            user = User.objects.create_user(email, demo_people.PASSWORD, is_staff=True)
            user.groups.add(Group.objects.get_or_create(name=group)[0])
            told.append(f"log-in {email}")
    if not User.objects.filter(email=ADMIN).exists():
        User.objects.create_superuser(ADMIN, demo_people.PASSWORD)
        told.append(f"log-in {ADMIN}")
    return told


def _apply(name: str, key: str = "", sandbox_url: str = "") -> list[str]:
    environment = {"DEMO_PASSWORD": demo_people.PASSWORD, "DEMO_KEY": key, "SANDBOX_URL": sandbox_url}
    text = (Path(__file__).parent / name).read_text(encoding="utf-8")
    return applying.apply_all([reading.read(text, environment, source=name)])[0].lines()


def _fernhill(sandbox_url: str) -> list[str]:
    told = _apply("fernhill.yaml", KEYS["demo"], sandbox_url)
    tenant = Tenant.objects.get(slug="demo")
    raw, entries = _programme(tenant, people.COFFEE)
    press = [str(raw[place]["external_id"]) for place in people.COFFEE.press]
    audiences.change_static(Audience.objects.get(tenant=tenant, slug="press"), add=press, remove=[])
    audiences.refresh(tenant)
    _team(tenant)
    run = sync.start(
        Extension.objects.get(tenant=tenant),
        kind=RunKind.FULL,
        trigger=RunTrigger.COMMAND,
        reason="The first run of the demo",
    )
    return [*told, f"{len(raw)} members, {entries:,} points entries, run #{run.pk} queued"]


def _birch() -> list[str]:
    """A programme that waits for its first connection."""
    told = _apply("birch.yaml")
    tenant = Tenant.objects.get(slug="birch")
    raw, entries = _programme(tenant, people.BOOKS)
    audiences.refresh(tenant)
    return [*told, f"{len(raw)} members, {entries:,} points entries"]


def _programme(tenant: Tenant, shop: people.Shop) -> tuple[list[dict[str, object]], int]:
    """The shop's members and what they did; return them as they were told, and how many entries there are."""
    now, random = timezone.now(), Random(SEED)
    raw = people.members(shop, now, random)
    _members(tenant, raw)
    entries = [entry for one in ledgers.entries(raw, now, random) if (entry := ledger_entries.parse(one)[0])]
    news = next((at for at, entry in enumerate(entries) if _is_news(entry, now)), len(entries))
    for at in range(0, news, AT_ONCE):
        ledger.post(tenant, entries[at : min(at + AT_ONCE, news)], history=True)
    ledger.post(tenant, entries[news:])
    return raw, len(entries)


def _is_news(entry: ledger_entries.EntryInput, now: datetime) -> bool:
    return entry.occurred_at is not None and entry.occurred_at > now - NEWS


def _team(tenant: Tenant) -> None:
    """People by name, somebody who is invited, a till that sends, and where alerts go."""
    for email, (first, last) in NAMES.items():
        User.objects.filter(email=email).update(first_name=first, last_name=last)
    owner = User.objects.get(email="owner@demo.example")
    invitations.make(tenant, email="roastery@fernhill.example", role=Role.VIEWER, by=owner)
    tokens.issue(tenant, "Till at Gloucester Road", by=owner)
    AlertSettings.objects.create(tenant=tenant, emails=[owner.email], failed_share=FAILED_SHARE)


def _harbour(sandbox_url: str) -> list[str]:
    told = _apply("harbour.yaml", KEYS["harbour"], sandbox_url)
    _members(Tenant.objects.get(slug="harbour"), _HARBOUR)
    return told


def _members(tenant: Tenant, raw: Sequence[Mapping[str, object]]) -> None:
    parsed = [item for one in raw if (item := member_input.parse(one)[0])]
    members.upsert(tenant, parsed, source="demo", history=True)


def _connection(slug: str, sandbox_url: str) -> list[str]:
    """The practice Klaviyo may stand at another port this time; ask it who we are, if it answers yet."""
    extension = Extension.objects.filter(tenant__slug=slug, name="Klaviyo").select_related("tenant").first()
    if extension is None or not extension.secret or extension.secret.reveal() != KEYS[slug]:
        return []
    told = []
    if extension.base_url != sandbox_url:
        extension.base_url = sandbox_url
        extension.save(update_fields=["base_url"])
        told.append(f"{slug}: the practice Klaviyo is at {sandbox_url}")
    if extension.health == Health.UNCHECKED:
        try:
            _prepare[slug](extension)
            connections.check(extension)
            told.append(f"{slug}: the practice Klaviyo answers")
        except DestinationError as error:
            told.append(f"{slug}: the practice Klaviyo says: {error.words}")
    return told


def _furnish(extension: Extension) -> None:
    """Lists to choose from, and a few people whom the practice Klaviyo will refuse."""
    practice.add_lists(extension)
    members = Member.objects.for_tenant(extension.tenant).exclude(email="").order_by("pk")
    refused = practice.refused_among([str(email) for email in members.values_list("email", flat=True)])
    practice.refuse(extension.base_url, extension.tenant.slug, refused)


def _hamper(extension: Extension) -> None:
    """A connection that needs a person: its key lacks a permission."""
    practice.permit(extension.base_url, extension.tenant.slug, practice.SCOPES_LEFT)


_prepare: Mapping[str, Callable[[Extension], None]] = {"demo": _furnish, "harbour": _hamper}
