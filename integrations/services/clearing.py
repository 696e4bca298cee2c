"""Properties that are being cleared: how far that is, and its end."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import QuerySet

from integrations.models import Extension, RetiredProperty, SentProfile, SyncBatch, SyncRow, Verdict
from integrations.models.runs import OPEN_BATCHES

# A body that was made while the mapping was there carries the property still; clocks differ a little.
MARGIN = timedelta(minutes=1)


@dataclass(frozen=True)
class Progress:
    """How far the clearing of one property is: values taken away, and profiles not looked at yet."""

    retired: RetiredProperty
    cleared: int
    left: int

    @property
    def total(self) -> int:
        return self.cleared + self.left


def having(extension: Extension, name: str) -> QuerySet[SentProfile]:
    """The profiles to which the property was sent, as far as we know."""
    return SentProfile.objects.filter(extension=extension, payload__properties__has_key=name)


def progress(extension: Extension) -> list[Progress]:
    """One entry a property; two counts each, over all that was sent."""
    return [
        Progress(retired, _cleared(retired), having(extension, retired.property).count())
        for retired in extension.retired_properties.all()
    ]


def _cleared(retired: RetiredProperty) -> int:
    rows = SyncRow.objects.filter(
        run__extension_id=retired.extension_id, created_at__gte=retired.created_at, verdict=Verdict.SENT
    )
    return rows.filter(changes__has_key=f".{retired.property}").count()


def stop(extension: Extension, name: str) -> bool:
    """What is there now stays; return whether it was being cleared."""
    return bool(extension.retired_properties.filter(property=name).delete()[0])


def finish(extension: Extension) -> None:
    """Forget the properties that nobody has of us any more, and those that are mapped again."""
    retired = list(extension.retired_properties.all())
    if not retired:
        return
    mapped = set(extension.field_mappings.values_list("property", flat=True))
    done = [row.pk for row in retired if row.property in mapped or _is_done(row)]
    RetiredProperty.objects.filter(pk__in=done).delete()


def _is_done(retired: RetiredProperty) -> bool:
    on_their_way = SyncBatch.objects.filter(
        extension_id=retired.extension_id,
        state__in=OPEN_BATCHES,
        delivery_ids=[],
        run__created_at__lt=retired.created_at + MARGIN,
    )
    return not (having(retired.extension, retired.property).exists() or on_their_way.exists())
