"""The embedded PostgreSQL for whoever needs the settings' database, when that is the one."""

import atexit
import contextlib
import sys
from collections.abc import Iterator

from django.conf import settings

from portal.runtime import embedded_postgres
from portal.runtime.postgres_place import PostgresError


def is_used() -> bool:
    """Whether the settings point at the server that the portal runs for itself."""
    return str(settings.DATABASES["default"]["HOST"]) == str(
        embedded_postgres.socket_folder(settings.DATA_DIR)
    )


@contextlib.contextmanager
def available() -> Iterator[embedded_postgres.Running | None]:
    """Have the database for the length of a command; one that nobody uses any more is stopped."""
    if not is_used():
        yield None
        return
    try:
        server = embedded_postgres.start(settings.DATA_DIR)
    except (PostgresError, OSError) as error:
        sys.exit(f"The portal's own PostgreSQL does not start: {error}")
    try:
        yield server
    finally:
        embedded_postgres.stop(server)


def keep_available() -> None:
    """The same for a process that a server of ours did not start, such as gunicorn's."""
    if is_used():
        server = embedded_postgres.start(settings.DATA_DIR)
        atexit.register(embedded_postgres.stop, server)
