"""Putting failures aside without mending them, and bringing them back. The data is never touched.

Only what is open in that moment is put aside: a later failure of the same cause is open anew.
"""

from django.db import transaction
from django.db.models import F, Max

from integrations.models import Dismissal, Extension, SyncRow
from integrations.services import failure_desk
from integrations.services.reruns import NothingToDo
from portal.tenancy.models import User

CHUNK = 5_000


def dismiss(extension: Extension, code: str, *, by: User, note: str) -> Dismissal:
    """Put the open rows of a cause aside. Raises NothingToDo where there are none."""
    found = failure_desk.open_rows(extension, code)
    newest = found.aggregate(newest=Max("pk"))["newest"]
    if newest is None:
        raise NothingToDo("Nothing to put aside: these were mended or put aside already.")
    made = Dismissal.objects.create(extension=extension, code=code, by=by, note=note.strip()[:500])
    while _put_aside(made, newest):
        continue
    made.refresh_from_db(fields=["rows"])
    return made


@transaction.atomic
def _put_aside(made: Dismissal, newest: int) -> bool:
    """One chunk; what was mended or put aside meanwhile stays as it is. Whether there was one."""
    found = failure_desk.open_rows(made.extension, made.code).filter(pk__lte=newest)
    ids = list(found.order_by("pk").values_list("pk", flat=True)[:CHUNK])
    changed = SyncRow.objects.filter(pk__in=ids, healed_at=None, dismissal=None).update(dismissal=made)
    Dismissal.objects.filter(pk=made.pk).update(rows=F("rows") + changed)
    return bool(ids)


def bring_back(dismissal: Dismissal) -> int:
    """Open again what was put aside and is not mended since; return how many rows. The trail keeps both."""
    back = SyncRow.objects.filter(dismissal=dismissal, healed_at=None).count()
    while True:
        ids = list(SyncRow.objects.filter(dismissal=dismissal).values_list("pk", flat=True)[:CHUNK])
        if not ids:
            break
        SyncRow.objects.filter(pk__in=ids).update(dismissal=None)
    dismissal.delete()
    return back
