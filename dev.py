#!/usr/bin/env python3
"""Set up and run the portal: `python3 dev.py run`, `test`, `lint`, `check`. Standard library only.

Makes .venv, installs the pinned packages when requirements*.txt changed, then does what was asked.
Written so that an old Python can read it far enough to say that it is too old.
"""

import sys

OLDEST = (3, 11)
NEWER = ("python3.14", "python3.13", "python3.12", "python3.11")


def require_python() -> None:
    """Go on under a newer Python where this one is too old, or say so."""
    if sys.version_info >= OLDEST:
        return
    import os
    import shutil

    for name in NEWER:
        found = shutil.which(name)
        # A shim may exist for a version that is not there.
        if found and os.system('"%s" -c "" > /dev/null 2>&1' % found) == 0:  # noqa: UP031
            os.execv(found, [found] + sys.argv)  # noqa: RUF005
    sys.exit(
        "This needs Python %d.%d or newer; python3 here is %d.%d and none of %s was found.\n"  # noqa: UP031
        "Install one (Debian, Ubuntu: apt install python3.11; macOS: brew install python@3.13), "
        "or run this file with it: /path/to/python3.13 dev.py run"
        % (OLDEST + sys.version_info[:2] + (", ".join(NEWER),))
    )


require_python()

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
import venv
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
MARKER = VENV / "installed.json"
RUN, DEV = "requirements.txt", "requirements-dev.txt"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# For a Python without ensurepip (Debian without python3-venv).
PIP_WHEEL = "pip-26.3-py3-none-any.whl"
PIP_SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"


def main(arguments: list[str]) -> int:
    name, rest = (arguments[0] if arguments else "help"), arguments[1:]
    command = COMMANDS.get(name)
    if command is None:
        print(__doc__)
        print("  " + "\n  ".join(f"{key:<18} {found.__doc__}" for key, found in COMMANDS.items()))
        return 0 if name in ("help", "-h", "--help") else 2
    os.chdir(ROOT)
    return command(rest)


# Commands ------------------------------------------------------------------------------------------


def run(arguments: list[str]) -> NoReturn:
    """start everything on this machine; arguments go to manage.py up"""
    install(RUN)
    # In our place, so that Ctrl-C reaches it alone.
    os.execv(PYTHON, [str(PYTHON), "manage.py", "up", *arguments])


def test(arguments: list[str]) -> int:
    """run the tests; arguments go to pytest"""
    install(DEV)
    chosen, left_out = [], ""
    if not any(re.match(r"-n|-m|--pdb", argument) for argument in arguments):
        chosen += ["-n", "auto"]
    if "-m" not in arguments and not any(shutil.which(browser) for browser in BROWSERS):
        chosen += ["-m", "not browser"]
        left_out = "Left out: the tests in a browser. Install Chromium to run them (apt install chromium)."
    code = call("-m", "pytest", *chosen, *arguments)
    if left_out:
        print(left_out)
    return code


def lint(arguments: list[str]) -> int:
    """ruff, its formatting, and mypy"""
    install(DEV)
    return first_failure(
        ["-m", "ruff", "check", "."],
        ["-m", "ruff", "format", "--check", "."],
        ["-m", "mypy", "portal", "loyalty", "integrations", "manage.py", "dev.py"],
    )


def migrations_check(arguments: list[str]) -> int:
    """whether a migration is missing"""
    install(DEV)
    return call("manage.py", "makemigrations", "--check", "--dry-run")


def check(arguments: list[str]) -> int:
    """lint, migrations and tests: what CI runs"""
    return lint([]) or migrations_check([]) or test(arguments)


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "run": run,
    "test": test,
    "lint": lint,
    "check": check,
    "migrations-check": migrations_check,
}


def call(*arguments: str) -> int:
    """Run Python in the environment; Ctrl-C is its business."""
    process = subprocess.Popen([str(PYTHON), *arguments])
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def first_failure(*commands: list[str]) -> int:
    """Run all, so that one look shows everything; return the first failure."""
    codes = [call(*command) for command in commands]
    return next((code for code in codes if code), 0)


# Installing ----------------------------------------------------------------------------------------


def install(requirements: str) -> None:
    """Have the environment with these packages; does nothing when they are there."""
    if sys.platform == "win32":
        sys.exit("The portal runs on Linux and macOS. On Windows use WSL.")
    wanted = fingerprint(requirements)
    if wanted in installed() and PYTHON.exists():
        return
    import fcntl

    with open(ROOT / ".venv.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two first starts at once
        if wanted in installed() and PYTHON.exists():
            return
        started = time.monotonic()
        make_environment()
        install_packages(requirements)
        done = {fingerprint(RUN), wanted}  # the packages for development include those to run
        MARKER.write_text(json.dumps(sorted(done)))
        print(f"Packages are in place ({time.monotonic() - started:.0f} s).", flush=True)


def fingerprint(requirements: str) -> str:
    """What is wanted: the contents of the files."""
    names = [RUN] if requirements == RUN else [RUN, DEV]
    found = hashlib.sha256()
    for name in names:
        found.update((ROOT / name).read_bytes())
    return f"{requirements} {found.hexdigest()}"


def installed() -> set[str]:
    try:
        return set(json.loads(MARKER.read_text()))
    except (OSError, ValueError):
        return set()


def make_environment() -> None:
    """Make .venv, anew when the one that is there does not start (moved, or its Python is gone)."""
    if PYTHON.exists() and answers(str(PYTHON), "-c", f"import sys; assert sys.version_info >= {OLDEST}"):
        return
    print("Making the environment in .venv …", flush=True)
    with_pip = importlib.util.find_spec("ensurepip") is not None and shutil.which("uv") is None
    venv.EnvBuilder(with_pip=with_pip, clear=VENV.exists(), symlinks=True).create(VENV)


def install_packages(requirements: str) -> None:
    print("Installing packages (only when they change) …", flush=True)
    uv = shutil.which("uv")
    if uv:
        command = [uv, "pip", "install", "--python", str(PYTHON), "-r", requirements]
    else:
        if not answers(str(PYTHON), "-m", "pip", "--version"):
            bring_pip()
        command = [str(PYTHON), "-m", "pip", "install", "--progress-bar", "off", "--no-input"]
        command += ["--disable-pip-version-check", "--prefer-binary", "-r", requirements]
    show_progress(command)


def show_progress(command: list[str]) -> None:
    """Run the installer with one moving line; its words are shown when it fails."""
    lines: list[str] = []
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for line in process.stdout or ():
        lines.append(line.rstrip())
        if sys.stdout.isatty():
            words = line.split()[:2] if line.startswith(("Collecting", "Installing", "Downloading")) else []
            print(f"\r  {' '.join(words):<60.60}" if words else "", end="", flush=True)
    if sys.stdout.isatty():
        print("\r" + " " * 64 + "\r", end="")
    if process.wait():
        print("\n".join(lines[-25:]))
        sys.exit("The packages could not be installed: is there a way to pypi.org or to your own index?")


def bring_pip() -> None:
    """Give the environment a pip where Python has no ensurepip: its wheel, of a known checksum."""
    index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/") + "/pip/"
    try:
        page = download(index).decode()
        link = re.search(rf'href="([^"#]*{re.escape(PIP_WHEEL)})', page)
        wheel = download(urllib.parse.urljoin(index, link.group(1))) if link else b""
    except OSError as error:
        sys.exit(f"pip could not be fetched from {index}: {error}. Or install python3-venv and start again.")
    if hashlib.sha256(wheel).hexdigest() != PIP_SHA256:
        sys.exit(f"{index} offers another {PIP_WHEEL} than expected. Install python3-venv and start again.")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / PIP_WHEEL
        file.write_bytes(wheel)
        # A wheel is a zip that Python can run.
        command = [str(PYTHON), f"{file}/pip", "install", "--no-index", "--no-cache-dir", "-q", str(file)]
        subprocess.run(command, check=True)


def download(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=60) as answer:
        body: bytes = answer.read()
    return body


def answers(*command: str) -> bool:
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
