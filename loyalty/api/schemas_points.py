"""Points entries as the API's document describes them. The rules: loyalty/rules/ledger_entries.py."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from loyalty.rules.ledger_entries import MAX_POINTS

MAX_ENTRIES = 1_000

EXAMPLE: dict[str, Any] = {
    "external_id": "C-1001",
    "points": 120,
    "reason": "Order 5001",
    "idempotency_key": "order-5001",
    "order": "5001",
}


class PointsItem(BaseModel):
    """One change of a balance."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})
    external_id: str | int = Field(..., description="Whose points; the member must be there.")
    points: int = Field(..., ge=-MAX_POINTS, le=MAX_POINTS, description="Signed, not 0.")
    reason: str = Field(..., min_length=1, max_length=300, description="Shown to the member and in e-mails.")
    idempotency_key: str | int = Field(
        ..., description="Your own id of this entry, 1 to 255 characters. Kept for ever."
    )
    kind: Literal["earn", "redeem", "adjust"] | None = Field(
        None, description="Without it: earn for positive points, redeem for negative ones."
    )
    occurred_at: datetime | None = Field(None, description="When it happened; without it, now.")
    expires_at: datetime | None = Field(
        None, description="When these points are lost. Only for positive points."
    )
    order: str | int | None = Field(None, description="The order it belongs to, at most 120 characters.")


class PointsBatch(BaseModel):
    """Entries for the ledger, posted in their order."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"entries": [EXAMPLE]}]})
    entries: list[PointsItem] = Field(..., max_length=MAX_ENTRIES)


class EntryAnswer(BaseModel):
    """What became of one entry. `balance` is the member's balance right after it."""

    index: int
    external_id: str
    idempotency_key: str
    status: Literal["created", "repeated", "refused"]
    entry_id: int | None = None
    balance: int | None = None
    errors: list[str] = []


class EntryResults(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "results": [
                        {
                            "index": 0,
                            "external_id": "C-1001",
                            "idempotency_key": "order-5001",
                            "status": "created",
                            "entry_id": 17,
                            "balance": 320,
                        }
                    ]
                }
            ]
        }
    )
    results: list[EntryAnswer]
