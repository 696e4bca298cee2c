"""The way of a new tenant from nothing to the first arrival, each step with its live state."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from integrations.models import AudienceMapping, Extension, FieldMapping, SyncRun
from loyalty.models import Member
from portal.tenancy.models import Tenant


@dataclass(frozen=True)
class Step:
    """`place` names the page where it is done; `help` says why it is worth it."""

    label: str
    help: str
    place: str
    action: str
    is_done: bool


def steps(tenant: Tenant) -> list[Step]:
    """In the order in which they are best done; one query."""
    mine = Extension.objects.filter(tenant=OuterRef("pk"))
    row = (
        Tenant.objects.filter(pk=tenant.pk)
        .annotate(
            is_connected=Exists(mine.filter(removed_at=None).exclude(account_id="")),
            is_on=Exists(mine.filter(is_active=True)),
            has_members=Exists(Member.objects.filter(tenant=OuterRef("pk"))),
            has_fields=Exists(FieldMapping.objects.filter(extension__tenant=OuterRef("pk"))),
            has_lists=Exists(AudienceMapping.objects.filter(extension__tenant=OuterRef("pk"))),
            has_arrived=Exists(SyncRun.objects.filter(extension__tenant=OuterRef("pk"), sent__gt=0)),
        )
        .values_list("is_connected", "has_members", "has_fields", "has_lists", "is_on", "has_arrived")
        .get()
    )
    return [Step(*texts, is_done=is_done) for texts, is_done in zip(_STEPS, row, strict=True)]


# In the order of the columns above.
_STEPS = (
    (
        "Connect your account",
        "So that the portal knows where your customers are. It takes a minute.",
        "integrations",
        "Connect",
    ),
    (
        "Bring your members in",
        "Your shop sends them with an API token, or staff import a file. They are kept here first.",
        "api_tokens",
        "Make an API token",
    ),
    (
        "Choose which fields travel",
        "Points, tier and the like become properties that your e-mails can show.",
        "fields",
        "Map fields",
    ),
    (
        "Link an audience to a list",
        "Who joins the audience joins the list; who leaves is taken off it.",
        "audiences",
        "Link an audience",
    ),
    (
        "Switch the connection on",
        "From then on changes travel by themselves within seconds.",
        "integrations",
        "Switch it on",
    ),
    (
        "See the first member arrive",
        "A run sends everybody once and proves each of them.",
        "runs",
        "See the runs",
    ),
)
