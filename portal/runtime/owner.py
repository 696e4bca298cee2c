"""This process's name in leases, and the heartbeat that keeps them valid."""

import atexit
import logging
import os
import socket
import threading
import uuid
from datetime import datetime
from multiprocessing.util import Finalize

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.models.functions import Now

from portal.runtime.models import Worker

logger = logging.getLogger(__name__)

FIRST_BEAT_SECONDS = 10


class Owner:
    """One process: its row in the database and the thread that renews it."""

    def __init__(self, role: str) -> None:
        self.id = uuid.uuid4()
        self.role = role
        self.pid = os.getpid()
        self.progress_at: datetime | None = None
        self._stop = threading.Event()
        self._has_beaten = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to beat on a connection of the thread's own; returns when the row can be seen."""
        self._thread = threading.Thread(target=self._beat_until_stopped, name="heartbeat", daemon=True)
        self._thread.start()
        # A worker process ends without Python's atexit; multiprocessing runs its own finalizers.
        Finalize(None, self.stop, exitpriority=20)
        atexit.register(self.stop)
        self._has_beaten.wait(FIRST_BEAT_SECONDS)

    def stop(self) -> None:
        """End the heartbeat and take the row away, so that leases are free at once."""
        if os.getpid() != self.pid or self._thread is None:
            return
        self._stop.set()
        self._thread.join(timeout=5)
        self._thread = None

    def beat(self) -> None:
        """Insert or renew the row; a row that somebody removed comes back."""
        row = Worker(
            id=self.id, role=self.role, host=socket.gethostname(), pid=self.pid, progress_at=self.progress_at
        )
        row.beat_at = Now()  # the database's clock
        Worker.objects.bulk_create(
            [row], update_conflicts=True, unique_fields=["id"], update_fields=["beat_at", "progress_at"]
        )

    def _beat_until_stopped(self) -> None:
        while True:
            try:
                self.beat()
                self._has_beaten.set()
            except (DatabaseError, InterfaceError) as error:
                logger.warning("Heartbeat of %s failed, trying again: %s", self.role, error)
                connection.close()
            if self._stop.wait(settings.BEAT_SECONDS):
                break
        try:
            Worker.objects.filter(pk=self.id).delete()
        except (DatabaseError, InterfaceError) as error:
            logger.warning("The row of %s stays until it is silent: %s", self.role, error)
        finally:
            connection.close()


_owner: Owner | None = None


def this_process(role: str = "") -> Owner:
    """Return this process's owner, made at the first call after the fork."""
    global _owner
    if _owner is None or _owner.pid != os.getpid():
        _owner = Owner(role or settings.QUEUE_LANE or "command")
        if settings.BEAT_SECONDS:
            _owner.start()
    if not settings.BEAT_SECONDS:  # tests: no thread that writes beside their transaction
        _owner.beat()
    return _owner


def current() -> uuid.UUID:
    """Return the id under which this process owns leases; registers it on the first call."""
    return this_process().id
