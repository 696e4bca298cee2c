"""All stored secrets, whichever model holds them: read a sample, encrypt all again."""

from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.fernet import Fernet, InvalidToken
from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models import ExpressionWrapper, F

from portal.tenancy.secrets import EncryptedTextField, Secret, UnreadableSecret, cipher

CHUNK = 500


def columns() -> Iterator[tuple[type[models.Model], str]]:
    """Yield each model and field that holds secrets."""
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, EncryptedTextField):
                yield model, field.name


def read_newest() -> None:
    """Decrypt the newest value of each column; raises UnreadableSecret when the keys do not fit."""
    for model, field in columns():
        kept = model._default_manager.exclude(**{field: None}).order_by("-pk")
        kept.values_list(field, flat=True).first()


@dataclass
class Rotation:
    """What one column's rotation did."""

    column: str
    rotated: int = 0
    already: int = 0
    unreadable: int = 0


def rotate() -> Iterator[Rotation]:
    """Encrypt every secret under the first key. Safe to repeat, and while the portal runs."""
    for model, field in columns():
        result = Rotation(f"{model._meta.label}.{field}")
        last = None
        while chunk := _chunk(model, field, last):
            for pk, stored in chunk:
                _rotate_one(model, field, pk, bytes(stored), result)
            last = chunk[-1][0]
        yield result


def _chunk(model: type[models.Model], field: str, after: object) -> list[tuple[object, bytes]]:
    rows = _with_stored(model, field).exclude(**{field: None}).order_by("pk")
    if after is not None:
        rows = rows.filter(pk__gt=after)
    return list(rows.values_list("pk", "stored_secret")[:CHUNK])


def _with_stored(model: type[models.Model], field: str) -> models.QuerySet[models.Model]:
    """The rows with the column's bytes as they are."""
    return model._default_manager.annotate(
        stored_secret=ExpressionWrapper(F(field), output_field=models.BinaryField())
    )


def _rotate_one(model: type[models.Model], field: str, pk: object, stored: bytes, result: Rotation) -> None:
    if _is_under_first_key(stored):
        result.already += 1
        return
    try:
        text = cipher().decrypt(stored).decode()
    except InvalidToken:
        result.unreadable += 1
        return
    # Only if nobody has changed it meanwhile: a refreshed token is already under the first key.
    changed = _with_stored(model, field).filter(pk=pk, stored_secret=stored).update(**{field: Secret(text)})
    result.rotated += changed


def _is_under_first_key(stored: bytes) -> bool:
    try:
        Fernet(settings.ENCRYPTION_KEYS[0]).decrypt(stored)
    except InvalidToken:
        return False
    return True


__all__ = ["Rotation", "UnreadableSecret", "columns", "read_newest", "rotate"]
