"""What needs a person now, the most urgent first. Each need says what happened and where it is mended."""

from dataclasses import dataclass

from django.db.models import Count

from integrations.models import AudienceMapping, Erasure, Extension, Health
from integrations.services import run_history
from portal.tenancy.models import Tenant
from portal.wording import counted


@dataclass(frozen=True)
class Need:
    """`look` is attention or bad; `place` and `keys` name the page, `action` its button."""

    look: str
    headline: str
    words: str
    place: str
    action: str
    keys: tuple[object, ...] = ()


def of(tenant: Tenant, extensions: list[Extension], failed_people: int) -> list[Need]:
    """`failed_people`: who has an open failure; the page shows that number too."""
    return [
        *(_connection(extension) for extension in extensions if _is_broken(extension)),
        *(_list(mapping) for mapping in _troubled_lists(tenant)),
        *([_failures(failed_people)] if failed_people else []),
        *_erasures(tenant),
    ]


def _is_broken(extension: Extension) -> bool:
    return extension.removed_at is not None or (extension.is_active and extension.health == Health.ATTENTION)


def _connection(extension: Extension) -> Need:
    words = extension.health_reason
    if extension.removed_at is None:  # those words say it themselves
        words = f"{words} Nothing is lost: what is to be sent waits."
    return Need(
        "attention",
        f"{extension.name} needs you.",
        words,
        "integration",
        "See the connection",
        (extension.pk,),
    )


def _troubled_lists(tenant: Tenant) -> list[AudienceMapping]:
    found = AudienceMapping.objects.filter(
        extension__tenant=tenant, extension__is_active=True, is_paused=False
    )
    return list(
        found.exclude(problem="").select_related("audience").only("problem", "list_name", "audience__name")
    )


def _list(mapping: AudienceMapping) -> Need:
    return Need(
        "attention",
        f"The list {mapping.list_name} is not kept in step.",
        f"{mapping.problem} The audience {mapping.audience.name} goes on here; all other lists are up to date.",
        "audience",
        "See the audience",
        (mapping.audience_id,),
    )


def _failures(people: int) -> Need:
    return Need(
        "bad",
        f"{counted(people, 'person is', 'people are')} not up to date.",
        "Each has a reason that says what to do. They are sent by themselves once the data is mended.",
        "failures",
        "See the reasons",
    )


def _erasures(tenant: Tenant) -> list[Need]:
    """An erasure that was refused stays open until somebody looks; that is the law's business too."""
    stuck = Erasure.objects.filter(extension__tenant=tenant, done_at=None).exclude(words="")
    found = stuck.aggregate(count=Count("pk"))["count"]
    if not found:
        return []
    return [
        Need(
            "attention",
            f"{counted(found, 'erasure')} could not be carried out yet.",
            "The person is erased here, and the other side refused so far. It is tried again every day. "
            "Ask the staff of this portal to look.",
            "runs",
            "See the runs",
        )
    ]


def failed_people(tenant: Tenant) -> int:
    """How many people have a failure that nothing has mended and nobody has put aside."""
    return int(run_history.open_failures(tenant).aggregate(people=Count("member", distinct=True))["people"])
