from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cryptography.fernet import Fernet

from portal.runtime import keyfile


def test_secrets_are_made_once_and_only_readable_by_their_owner(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    first = keyfile.secret_key(folder)
    assert len(first) >= 50
    assert keyfile.secret_key(folder) == first
    (key,) = keyfile.encryption_keys(folder)
    Fernet(key)
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}


def test_first_starts_at_once_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: keyfile.secret_key(tmp_path), range(32)))) == 1
