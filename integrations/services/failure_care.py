"""Who takes care of a cause of open failures, and what they noted."""

from integrations.models import Extension, FailureCare
from portal.tenancy.models import User


def assign(extension: Extension, code: str, owner: User | None) -> FailureCare:
    """Give a cause to somebody, or back to nobody."""
    care, _ = FailureCare.objects.update_or_create(extension=extension, code=code, defaults={"owner": owner})
    return care


def note(extension: Extension, code: str, words: str) -> FailureCare:
    """Keep what the next person should know; empty words take the note away."""
    care, _ = FailureCare.objects.update_or_create(
        extension=extension, code=code, defaults={"note": words.strip()[:500]}
    )
    return care
