"""Work of the ground that the queue calls by name."""

from portal.tenancy import idempotency


def purge_idempotent_replies() -> str:
    return f"{idempotency.purge()} replies forgotten"
