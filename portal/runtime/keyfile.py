"""Secrets that the portal makes for itself on first use and keeps in its data folder."""

import os
import secrets
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
    """Read the file, or create it with mode 600. O_EXCL decides between two first starts."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    value = make()
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(handle, "w") as file:
        file.write(value)
    return value
