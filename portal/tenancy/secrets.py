"""Values that must never be read by accident: encrypted at rest, dots wherever they are printed."""

from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models

DOTS = "••••••••"


class Secret:
    """A secret text: `reveal()` gives it, every other way of printing it gives dots.

    Logs, pages, the admin and the audit trail store text, so none of them can hold the value.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __str__(self) -> str:
        return DOTS if self._value else ""

    __repr__ = __str__

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> Any:
        raise TypeError("A Secret is not pickled: pass the id of the row that holds it.")


class UnreadableSecret(Exception):
    """A stored secret was encrypted with a key that is not among ENCRYPTION_KEYS."""


def cipher() -> MultiFernet:
    """Return the cipher of the present keys: the first encrypts, each may decrypt."""
    return MultiFernet([Fernet(key) for key in settings.ENCRYPTION_KEYS])


if TYPE_CHECKING:
    _BinaryField = models.BinaryField["Secret | str | None", "Secret | None"]
else:
    _BinaryField = models.BinaryField


class EncryptedTextField(_BinaryField):
    """A text kept as Fernet bytes; in Python it is a `Secret`, or None.

    Raises UnreadableSecret on read when no present key fits.
    """

    description = "Encrypted text"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Secret | None:
        if value is None:
            return None
        try:
            return Secret(cipher().decrypt(bytes(value)).decode())
        except InvalidToken as error:
            raise UnreadableSecret(
                "A stored secret cannot be decrypted: put the key that encrypted it back into "
                "ENCRYPTION_KEYS, or connect again."
            ) from error

    def to_python(self, value: Any) -> Secret | None:
        if value is None or isinstance(value, Secret):
            return value
        return Secret(str(value))

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if isinstance(value, str):
            value = Secret(value)
        if isinstance(value, Secret):
            value = cipher().encrypt(value.reveal().encode())
        return super().get_db_prep_value(value, connection, prepared)

    def value_to_string(self, obj: models.Model) -> str:
        return DOTS
