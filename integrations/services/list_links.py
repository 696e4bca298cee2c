"""Linking audiences to lists: made, changed, paused, unlinked, and kept after all."""

from django.db import IntegrityError, transaction
from django.utils import timezone

from integrations.errors import ConfigurationError, ListGone
from integrations.gateway.values import BatchKind
from integrations.models import (
    AudienceMapping,
    BatchState,
    Extension,
    RunKind,
    RunTrigger,
    SentMembership,
    SyncBatch,
    SyncRun,
)
from integrations.models.sent import Origin
from integrations.services import connections, list_endings, routing, sync
from loyalty.models import Audience, AudienceMember
from loyalty.services import audience_deleting
from portal import wording
from portal.tenancy.models import User

REMOVING = "removing"  # in `numbers`: how many were to be taken off when the unlinking began


def clash(extension: Extension, audience: Audience, *, name: str, list_id: str = "") -> str:
    """Why this audience cannot become this list, in a sentence; empty where it can.

    One list takes one audience: two would take each other's members off it.
    """
    for row in extension.audience_mappings.select_related("audience"):
        if (list_id and row.list_id == list_id) or row.list_name.casefold() == name.strip().casefold():
            return _taken(row, audience)
    return ""


def _taken(row: AudienceMapping, audience: Audience) -> str:
    if row.ending_at:
        return (
            f"“{row.list_name}” is being unlinked from {row.audience.name}. "
            "Wait until that is done, or keep that link after all."
        )
    if row.audience_id == audience.pk:
        return f"{audience.name} is linked to “{row.list_name}” already."
    return (
        f"“{row.list_name}” is kept in step with {row.audience.name} already. "
        "A list follows one audience: choose another list, or unlink that one first."
    )


def link(
    extension: Extension,
    audience: Audience,
    *,
    name: str,
    list_id: str = "",
    remove_leavers: bool = True,
    is_paused: bool = False,
) -> AudienceMapping:
    """Link an audience to a list that is there (`list_id`), or to one that the next run finds or makes.

    Raises ConfigurationError where the list is taken. Nothing is sent yet, and nobody's consent is touched.
    """
    if words := clash(extension, audience, name=name, list_id=list_id):
        raise ConfigurationError(words)
    try:
        with transaction.atomic():
            return AudienceMapping.objects.create(
                extension=extension,
                audience=audience,
                list_name=name.strip(),
                list_id=list_id,
                create_list=not list_id,
                remove_leavers=remove_leavers,
                is_paused=is_paused,
            )
    except IntegrityError as error:
        raise ConfigurationError(
            f"Somebody linked “{name}” in this very moment. Look at the audiences and choose another list."
        ) from error


def change(mapping: AudienceMapping, *, remove_leavers: bool) -> bool:
    """Whether who leaves the audience is taken off; return whether that is new. The next run applies it."""
    if mapping.remove_leavers == remove_leavers:
        return False
    mapping.remove_leavers = remove_leavers
    mapping.save(update_fields=["remove_leavers"])
    return True


def pause(mapping: AudienceMapping, *, is_paused: bool) -> None:
    """While it is paused nobody joins or leaves the list; nothing is lost, the difference waits."""
    mapping.is_paused = is_paused
    mapping.save(update_fields=["is_paused"])


def waiting(mapping: AudienceMapping) -> tuple[int, int]:
    """How many are in the audience and not on the list, and how many the other way round."""
    belong = AudienceMember.objects.filter(audience=mapping.audience_id, left_at=None).values("member")
    there = SentMembership.objects.filter(mapping=mapping)
    joining = belong.exclude(member__in=there.values("member")).count()
    leaving = there.filter(origin=Origin.ADDED).exclude(member__in=belong).count()
    return joining, leaving if mapping.remove_leavers else 0


def try_again(mapping: AudienceMapping) -> None:
    """Somebody mended what was wrong. A list that is gone is looked for by its name, or made anew.

    Raises DestinationError where that cannot be found out now.
    """
    try:
        if mapping.list_id:
            connections.open_channel(mapping.extension).read_list(mapping.list_id)
    except ListGone:
        _forget_list(mapping)
    mapping.problem = ""
    mapping.save(update_fields=["problem"])


@transaction.atomic
def _forget_list(mapping: AudienceMapping) -> None:
    """Nobody is on a list that is gone; the next one of that name is read before anybody joins it."""
    mapping.list_id, mapping.read_at, mapping.read_cursor, mapping.create_list = "", None, "", True
    mapping.numbers_at = None
    mapping.save(update_fields=["list_id", "read_at", "read_cursor", "create_list", "numbers_at"])
    SentMembership.objects.filter(mapping=mapping, in_flight=None).delete()


@transaction.atomic
def delete_audience(audience: Audience) -> int:
    """Delete an audience that no list follows; return how many members were in it.

    Raises ConfigurationError while it is linked.
    """
    Audience.objects.select_for_update().get(pk=audience.pk)
    linked = (
        AudienceMapping.objects.filter(audience=audience).order_by("pk").values_list("list_name", flat=True)
    )
    if names := [f"“{name}”" for name in linked]:
        raise ConfigurationError(f"{audience.name} is linked to {wording.listed(names)}. Unlink that first.")
    return audience_deleting.delete(audience)


# Unlinking -----------------------------------------------------------------------------------------


def added(mapping: AudienceMapping) -> int:
    """How many are on the list because we put them there, those on their way included."""
    return SentMembership.objects.filter(mapping=mapping, origin=Origin.ADDED).count()


@transaction.atomic
def leave_everybody(mapping: AudienceMapping) -> None:
    """Unlink at once: nobody is taken off the list, and what was planned for it is let go."""
    _let_go(mapping, BatchKind.JOINS, BatchKind.LEAVES)
    list_endings.delete(mapping)


@transaction.atomic
def remove_added(mapping: AudienceMapping, *, user: User | None = None) -> SyncRun | None:
    """Begin to take off those whom we added; the mapping goes when all are off. Safe to repeat.

    Return the run that does it; None where nobody is to be taken off, or while the connection is off.
    """
    if mapping.ending_at is None:
        mapping.ending_at, mapping.problem = timezone.now(), ""
        mapping.numbers = {**(mapping.numbers or {}), REMOVING: added(mapping)}
        mapping.save(update_fields=["ending_at", "problem", "numbers"])
    _let_go(mapping, BatchKind.JOINS)
    if list_endings.finish(mapping.extension_id) and not _is_there(mapping):
        return None
    return _start(mapping, user, f"Unlink {mapping.list_name}")


@transaction.atomic
def keep(mapping: AudienceMapping, *, user: User | None = None) -> SyncRun | None:
    """Keep the list after all: who was taken off already is put on it again by a run, which is returned."""
    if (
        not AudienceMapping.objects.select_for_update(no_key=True)
        .filter(pk=mapping.pk, ending_at__isnull=False)
        .exists()
    ):
        raise ConfigurationError(f"“{mapping.list_name}” is unlinked already. Link it anew to use it again.")
    numbers = {key: value for key, value in (mapping.numbers or {}).items() if key != REMOVING}
    mapping.ending_at, mapping.problem, mapping.numbers = None, "", numbers or None
    mapping.save(update_fields=["ending_at", "problem", "numbers"])
    _let_go(mapping, BatchKind.LEAVES)
    return _start(mapping, user, f"Keep {mapping.list_name}")


def start(mapping: AudienceMapping, *, user: User | None = None) -> SyncRun:
    """Fill the list now instead of with the next run. Raises ConfigurationError while the connection is off."""
    return sync.start(
        mapping.extension,
        kind=RunKind.AUDIENCES,
        trigger=RunTrigger.PERSON,
        user=user,
        reason=f"Fill {mapping.list_name}",
    )


def _start(mapping: AudienceMapping, user: User | None, reason: str) -> SyncRun | None:
    if not mapping.extension.is_active:
        return None
    return sync.start(
        mapping.extension, kind=RunKind.AUDIENCES, trigger=RunTrigger.PERSON, user=user, reason=reason
    )


def _is_there(mapping: AudienceMapping) -> bool:
    return AudienceMapping.objects.filter(pk=mapping.pk).exists()


def _let_go(mapping: AudienceMapping, *kinds: BatchKind) -> None:
    """What is planned and was never tried is not sent; what may have been sent goes on and is settled."""
    routing.let_go(
        SyncBatch.objects.filter(
            extension=mapping.extension_id,
            kind__in=kinds,
            mapping_ids=[mapping.pk],
            state=BatchState.PLANNED,
            owner=None,
            attempts=0,
        )
    )
