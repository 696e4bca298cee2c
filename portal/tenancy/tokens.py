"""API tokens: made, found by their text, taken back. The text itself is never stored."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from portal.tenancy.models import ApiToken, Tenant, User

HINT_LENGTH = 8
USE_IS_NOTED_EVERY = timedelta(minutes=1)


def issue(tenant: Tenant, name: str, *, by: User | None = None) -> tuple[ApiToken, str]:
    """A new token and its text, which nobody can read again afterwards."""
    text = ApiToken.make_text()
    token = ApiToken.objects.create(
        tenant=tenant, name=name, digest=ApiToken.digest_of(text), hint=text[:HINT_LENGTH], issued_by=by
    )
    return token, text


@transaction.atomic
def revoke(token: ApiToken) -> bool:
    """End a token now. False if it had ended before. By save, so that the audit trail has it."""
    present = ApiToken.objects.select_for_update().filter(pk=token.pk, revoked_at=None).first()
    if present is None:
        return False
    present.revoked_at = timezone.now()
    present.save(update_fields=["revoked_at"])
    return True


def find(text: str) -> ApiToken | None:
    """The active token of this text with its tenant, its use noted at most once a minute."""
    if not text.startswith(ApiToken.PREFIX) or not text.isascii():
        return None
    token = (
        ApiToken.objects.filter(digest=ApiToken.digest_of(text), revoked_at=None)
        .select_related("tenant")
        .first()
    )
    if token is not None:
        _note_use(token, timezone.now())
    return token


def _note_use(token: ApiToken, now: datetime) -> None:
    before = now - USE_IS_NOTED_EVERY
    if token.last_used_at is not None and token.last_used_at >= before:
        return
    stale = Q(last_used_at=None) | Q(last_used_at__lt=before)
    ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
