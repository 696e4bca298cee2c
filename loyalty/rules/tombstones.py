"""What is kept of a person who asked to be forgotten: a digest, which names nobody and still recognises their id."""

import hashlib


def digest(tenant_id: int, kind: str, value: str) -> str:
    """SHA-256 of an identifier (`external_id`), of use within one tenant only."""
    return hashlib.sha256(f"{tenant_id}:{kind}:{value}".encode()).hexdigest()
