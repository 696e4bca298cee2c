"""Makes the demo tenants once; what a visitor changed since stays as it is."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone

from integrations.configuration import applying, reading
from integrations.errors import DestinationError
from integrations.models import Extension, Health, RunKind, RunTrigger
from integrations.services import connections, sync
from loyalty.models import Audience
from loyalty.rules import ledger_entries, member_input
from loyalty.services import audiences, ledger, members
from portal import demo_people
from portal.demo import ledgers, people
from portal.tenancy.models import Tenant, User

KEY = "pk_demo_0123456789abcdef"
SEED = 20_260
AT_ONCE = 1_000
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
        if not Tenant.objects.filter(slug="harbour").exists():
            told += _harbour()
    return told + _connection(sandbox_url)


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


def _apply(name: str, sandbox_url: str = "") -> list[str]:
    environment = {"DEMO_PASSWORD": demo_people.PASSWORD, "DEMO_KEY": KEY, "SANDBOX_URL": sandbox_url}
    text = (Path(__file__).parent / name).read_text(encoding="utf-8")
    return applying.apply_all([reading.read(text, environment, source=name)])[0].lines()


def _fernhill(sandbox_url: str) -> list[str]:
    told = _apply("fernhill.yaml", sandbox_url)
    tenant, now, random = Tenant.objects.get(slug="demo"), timezone.now(), Random(SEED)
    raw = people.members(now, random)
    _members(tenant, raw)
    entries = [entry for one in ledgers.entries(raw, now, random) if (entry := ledger_entries.parse(one)[0])]
    for at in range(0, len(entries), AT_ONCE):
        ledger.post(tenant, entries[at : at + AT_ONCE], history=True)
    press = [str(raw[place]["external_id"]) for place in people.PRESS]
    audiences.change_static(Audience.objects.get(tenant=tenant, slug="press"), add=press, remove=[])
    audiences.refresh(tenant)
    extension = Extension.objects.get(tenant=tenant)
    run = sync.start(
        extension, kind=RunKind.FULL, trigger=RunTrigger.COMMAND, reason="The first run of the demo"
    )
    return [*told, f"{len(raw)} members, {len(entries):,} points entries, run #{run.pk} queued"]


def _harbour() -> list[str]:
    told = _apply("harbour.yaml")
    _members(Tenant.objects.get(slug="harbour"), _HARBOUR)
    return told


def _members(tenant: Tenant, raw: Sequence[Mapping[str, object]]) -> None:
    parsed = [item for one in raw if (item := member_input.parse(one)[0])]
    members.upsert(tenant, parsed, source="demo", history=True)


def _connection(sandbox_url: str) -> list[str]:
    """The practice Klaviyo may stand at another port this time; ask it who we are, if it answers yet."""
    extension = Extension.objects.filter(tenant__slug="demo", name="Klaviyo").select_related("tenant").first()
    if extension is None or not extension.secret or extension.secret.reveal() != KEY:
        return []
    told = []
    if extension.base_url != sandbox_url:
        extension.base_url = sandbox_url
        extension.save(update_fields=["base_url"])
        told.append(f"the practice Klaviyo is at {sandbox_url}")
    if extension.health == Health.UNCHECKED:
        try:
            connections.check(extension)
            told.append("the practice Klaviyo answers")
        except DestinationError as error:
            told.append(f"the practice Klaviyo does not answer yet: {error.words}")
    return told
