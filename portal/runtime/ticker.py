"""The second hand: calls settings.TICK_TARGET once a second, in one process per database."""

import logging
import threading
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.utils.module_loading import import_string

logger = logging.getLogger(__name__)

LOCK = 7_201_480_001  # of pg_try_advisory_lock; any number that nobody else uses
STATEMENT_SECONDS = 30


class Ticker(threading.Thread):
    """A thread with a connection of its own, whose session holds the lock; a lost connection loses both."""

    def __init__(self) -> None:
        super().__init__(name="ticker", daemon=True)
        self._stop_asked = threading.Event()
        self._held_by: Any = None  # the driver's connection that took the lock

    def run(self) -> None:
        while not self._stop_asked.wait(settings.TICK_SECONDS):
            self.once()
        connection.close()

    def stop(self) -> None:
        self._stop_asked.set()
        self.join(timeout=5)

    def once(self) -> bool:
        """Tick if this process is the one to do it. Nothing that goes wrong ends the loop."""
        try:
            if not self._holds_lock():
                return False
            import_string(settings.TICK_TARGET)()
            return True
        except (DatabaseError, InterfaceError) as error:
            logger.warning("Tick failed, connecting again: %s", error)
            self.let_go()
        except Exception:
            logger.exception("Tick failed")
        return False

    def let_go(self) -> None:
        self._held_by = None
        connection.close()

    def _holds_lock(self) -> bool:
        if self._held_by is not None and self._held_by is connection.connection:
            if connection.is_usable():
                return True
            self.let_go()  # and with the session its lock
        with connection.cursor() as cursor:
            cursor.execute(f"SET statement_timeout = '{STATEMENT_SECONDS}s'")
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
            (is_ours,) = cursor.fetchone()
        self._held_by = connection.connection if is_ours else None
        return bool(is_ours)
