"""The portal's own PostgreSQL, for when no DATABASE_URL is set.

Every process that uses the server holds a shared lock on a file in the data folder; the kernel drops it
however the process ends. Who leaves tries to make its lock exclusive: if that succeeds nobody else is
there, and the last one out stops the server. So two commands at once, `up` beside a command, and a server
left behind by `kill -9` (attached to by the next start, stopped at its end) need no further bookkeeping.
"""

import contextlib
import fcntl
import hashlib
import logging
import os
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from portal.runtime import postgres_place, postgres_process
from portal.runtime.postgres_place import Account, Place, PostgresError

logger = logging.getLogger(__name__)

USER = DATABASE = "portal"
SOCKETS = Path(
    "/tmp"
)  # fixed, not TMPDIR: all processes must find it; 107 bytes are the limit of a socket's path
OPTIONS = {
    "listen_addresses": "",
    "max_connections": "200",
    "unix_socket_permissions": "0700",
    "fsync": "on",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "log_min_messages": "warning",
}
START_SECONDS = 60


@dataclass(frozen=True)
class Running:
    """A server in use by this process. Give it back with `stop`."""

    data_dir: Path
    place: Place
    pid: int
    started: bool  # by this call; otherwise it was there already
    in_use: IO[str]
    by_process: int


def url(data_dir: Path) -> str:
    """Return the address of this data folder's server; starts nothing and touches nothing."""
    return f"postgres://{USER}@/{socket_folder(data_dir)}/{DATABASE}"


def socket_folder(data_dir: Path) -> Path:
    return SOCKETS / f"lp-{hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:12]}"


def start(data_dir: Path) -> Running:
    """Start the server, or attach to the one that runs; returns when it takes connections."""
    data_dir = data_dir.resolve()
    data_dir.mkdir(parents=True, exist_ok=True)
    in_use = _open(data_dir / "postgres.in-use")
    fcntl.flock(in_use, fcntl.LOCK_SH)  # waits for somebody who is just stopping it
    try:
        with _exclusive(data_dir / "postgres.starting"):
            place = postgres_place.find(data_dir)
            postgres_process.wait_while(lambda: _is_starting(place), START_SECONDS)
            found = _ready_pid(place, socket_folder(data_dir))
            pid = found or _start_server(data_dir, place)
            return Running(data_dir, place, pid, found is None, in_use, os.getpid())
    except BaseException:
        in_use.close()
        raise


def stop(running: Running) -> bool:
    """Give the server back; the last one out stops it. Returns whether it was stopped."""
    if os.getpid() != running.by_process or running.in_use.closed:
        return False
    try:
        fcntl.flock(running.in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
        postgres_process.pg_ctl(running.place, "stop", "-m", "fast", "-t", "30")
        with contextlib.suppress(OSError):
            socket_folder(running.data_dir).rmdir()
    except BlockingIOError:
        return False
    except PostgresError as error:
        logger.warning("PostgreSQL did not stop: %s", error)
        return False
    finally:
        running.in_use.close()
    return True


@contextlib.contextmanager
def running(data_dir: Path) -> Iterator[Running]:
    """Have the server for the length of a block."""
    server = start(data_dir)
    try:
        yield server
    finally:
        stop(server)


def is_ready(server: Running) -> bool:
    return _ready_pid(server.place, socket_folder(server.data_dir)) is not None


def restart_if_dead(server: Running) -> Running:
    """Start the server again when it was killed; our own lock on it stays."""
    if is_ready(server):
        return server
    again = start(server.data_dir)
    server.in_use.close()
    return again


# Starting ------------------------------------------------------------------------------------------


def _start_server(data_dir: Path, place: Place) -> int:
    sockets = _private_folder(socket_folder(data_dir), place.account)
    _evict_stranger(sockets, place)
    if not (place.cluster / "PG_VERSION").exists():
        _initdb(place)
    _require_same_version(place)
    (data_dir / "logs").mkdir(exist_ok=True)
    options = " ".join(f"-c {name}='{value}'" for name, value in OPTIONS.items())
    log = data_dir / "logs" / "postgres.log"
    arguments = ("start", "-w", "-t", str(START_SECONDS), "-o", f"-k {sockets} {options}")
    try:
        postgres_process.pg_ctl(place, *arguments, log=log)
    except PostgresError:
        # Children of a server that was killed hold its shared memory for a moment.
        time.sleep(2)
        postgres_process.pg_ctl(place, *arguments, log=log)
    _create_database(sockets)
    pid = _ready_pid(place, sockets)
    if pid is None:
        raise PostgresError(f"PostgreSQL started and went away again; see {log}.")
    return pid


def _initdb(place: Place) -> None:
    """Make the data under another name first: an initdb that was cut off must not look like a cluster."""
    unfinished = place.cluster.with_name(f"{place.cluster.name}.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    if place.account:
        os.chown(unfinished, place.account.uid, place.account.gid)
    postgres_process.run(
        place, "initdb", "-D", str(unfinished), "-U", USER, "-E", "UTF8",
        "--locale=C.UTF-8", "--auth=trust", "--no-instructions",
    )  # fmt: skip
    unfinished.rename(place.cluster)


def _require_same_version(place: Place) -> None:
    version = (place.cluster / "PG_VERSION").read_text().strip()
    if version != postgres_place.MAJOR:
        raise PostgresError(
            f"{place.cluster} was written by PostgreSQL {version}, this portal brings "
            f"{postgres_place.MAJOR}: dump it with the old version and restore it (docs/operations.md)."
        )


def _create_database(sockets: Path) -> None:
    import psycopg  # late: settings read this module before anything needs a database

    with psycopg.connect(host=str(sockets), user=USER, dbname="postgres", autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(f"CREATE DATABASE {DATABASE}")


def _private_folder(folder: Path, account: Account | None) -> Path:
    """Make the socket's folder, or make sure that the one that is there is ours alone."""
    owner = account.uid if account else os.geteuid()
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        if account:
            os.chown(folder, account.uid, account.gid)
    found = folder.lstat()
    if folder.is_symlink() or found.st_uid != owner or found.st_mode & 0o077:
        raise PostgresError(
            f"{folder} belongs to somebody else (user id {found.st_uid}), so it is no safe place for the "
            "database's socket. Remove it, or set DATABASE_URL."
        )
    return folder


def _evict_stranger(sockets: Path, place: Place) -> None:
    """Stop a server that sits on our socket with other data: its data folder was deleted or replaced."""
    holder = postgres_process.lines(sockets / ".s.PGSQL.5432.lock")[:1]
    ours = postgres_process.lines(place.cluster / "postmaster.pid")[:1]
    if not holder or holder == ours or not postgres_process.is_postgres(pid := int(holder[0])):
        return
    logger.warning("Stopping PostgreSQL (process %d): its data is no longer this portal's.", pid)
    os.kill(pid, signal.SIGQUIT)
    postgres_process.wait_while(lambda: postgres_process.is_postgres(pid), 10)


# Looking -------------------------------------------------------------------------------------------


def _ready_pid(place: Place, sockets: Path) -> int | None:
    """The process id of the server that serves this cluster on our socket, when it is ready."""
    lines = postgres_process.lines(place.cluster / "postmaster.pid")
    if len(lines) < 8 or not lines[7].startswith("ready"):
        return None
    if not postgres_process.is_postgres(pid := int(lines[0])):
        return None
    if Path(lines[4]) != sockets or not (sockets / ".s.PGSQL.5432").exists():
        raise PostgresError(
            f"PostgreSQL (process {pid}) already serves {place.cluster}, but not on {sockets}: it was "
            "started by hand, or by a service with a private /tmp. Stop it first."
        )
    return pid


def _is_starting(place: Place) -> bool:
    """Whether a server that somebody left behind is on its way up, recovering perhaps."""
    lines = postgres_process.lines(place.cluster / "postmaster.pid")
    return len(lines) >= 8 and lines[7].startswith("starting") and postgres_process.is_postgres(int(lines[0]))


# Locks ------------------------------------------------------------------------------------------------


def _open(path: Path) -> IO[str]:
    return open(path, "a")


@contextlib.contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    with _open(path) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
