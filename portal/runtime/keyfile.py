"""Secrets that the portal makes for itself on first use and keeps in its data folder."""

import contextlib
import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path

from cryptography.fernet import Fernet


def secret_key(data_dir: Path) -> str:
    """Return Django's SECRET_KEY, made once; raises OSError when the folder cannot be written."""
    return _made_once(data_dir / "secret_key", lambda: secrets.token_urlsafe(50))


def encryption_keys(data_dir: Path) -> list[str]:
    """Return the Fernet keys that protect stored secrets; the first encrypts, all decrypt."""
    return _made_once(data_dir / "encryption_keys", lambda: Fernet.generate_key().decode()).split(",")


def _made_once(path: Path, make: Callable[[], str]) -> str:
    """Read the file, or create it with mode 600. The link decides between first starts at once."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    # Written under another name first: nobody reads a file that is there but still empty.
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.") as file:
        file.write(make())
        file.flush()
        os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(file.name, path)
    return path.read_text().strip()
