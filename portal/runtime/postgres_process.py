"""PostgreSQL's programs and processes: run the ones, look at the others."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from portal.runtime.postgres_place import Place, PostgresError


def wait_while(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while condition() and time.monotonic() < deadline:
        time.sleep(0.05)


def lines(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text().splitlines()]
    except (FileNotFoundError, PermissionError):
        return []


def is_postgres(pid: int) -> bool:
    """Whether the process lives and is a PostgreSQL server; a process id may have been used again."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        state = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:  # no /proc here
        return not Path("/proc/self").exists()
    return "(postgres)" in state and ") Z" not in state


def pg_ctl(place: Place, action: str, *arguments: str, log: Path | None = None) -> None:
    run(place, "pg_ctl", action, "-D", str(place.cluster), *arguments, log=log)


def run(place: Place, program: str, *arguments: str, log: Path | None = None) -> None:
    """Run one of PostgreSQL's programs under its account; its words become the error's."""
    who: dict[str, Any] = {}
    if place.account:
        who = {"user": place.account.uid, "group": place.account.gid, "extra_groups": []}
    with open(log or os.devnull, "a") as output:
        done = subprocess.run(
            [str(place.programs / "bin" / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output if log else subprocess.PIPE,
            stderr=output if log else subprocess.STDOUT,
            cwd="/",
            env={"PATH": os.defpath, "LANG": "C.UTF-8", "TZ": "UTC"},
            start_new_session=True,
            **who,
        )
    if done.returncode:
        words = "\n".join(lines(log)[-15:]) if log else done.stdout.decode(errors="replace")
        raise PostgresError(f"{program} failed ({done.returncode}):\n{words}")
