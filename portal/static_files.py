"""Collect the static files when one of them has changed: it costs more than a second of every start."""

import hashlib
import os

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command


def collect() -> bool:
    """Run collectstatic unless its last result still stands; returns whether it ran."""
    stamp = settings.DATA_DIR / "static.stamp"
    wanted = _fingerprint()
    if settings.STATIC_ROOT.exists() and stamp.exists() and stamp.read_text() == wanted:
        return False
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(wanted)
    return True


def _fingerprint() -> str:
    """Names, sizes and times of all that would be collected, and where it goes and how."""
    found = hashlib.sha256(f"{settings.STATIC_ROOT} {settings.STORAGES['staticfiles']}".encode())
    for finder in get_finders():
        for name, storage in finder.list([]):
            status = os.stat(storage.path(name))
            found.update(f"{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return found.hexdigest()
