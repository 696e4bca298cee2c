"""Runs as the API's document describes them."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["full", "changes", "audiences", "events", "pull"]
Status = Literal["queued", "running", "waiting", "succeeded", "partly_failed", "failed", "cancelled"]


class RunsQuery(BaseModel):
    kind: Kind | Literal["live"] | None = None
    status: Status | None = None
    before: int | None = Field(
        None, ge=1, lt=2**63, description="Only runs older than this id: `next_before`."
    )
    limit: int = Field(50, ge=1, le=200)


class RunStart(BaseModel):
    """What to run. An empty object sends what has changed."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"kind": "changes"}]})
    kind: Kind = "changes"
    extension: str | None = Field(
        None, max_length=120, description="Name of the connection, where there are several."
    )
    force: bool = Field(False, description="Send all again, changed or not.")
    reason: str | None = Field(None, max_length=300, description="Kept with the run: why it was started.")


class RunRerun(BaseModel):
    """What to run again. An empty object repeats the whole run."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"failed_only": True}]})
    failed_only: bool = Field(False, description="Only the rows that did not arrive.")
    force: bool = False
    reason: str | None = Field(None, max_length=300)


class RunCancel(BaseModel):
    """Why it is stopped; may be left out."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "Wrong mapping"}]})
    reason: str | None = Field(None, max_length=300)


class RunCounts(BaseModel):
    """How many rows have each verdict."""

    accepted: int
    sent: int
    unchanged: int
    rejected: int
    failed: int
    held: int


class RunShown(BaseModel):
    id: int
    kind: Kind | Literal["live"]
    status: Status
    counts: RunCounts
    calls: int
    seconds: float | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    parent_id: int | None
    extension: str
    trigger: Literal["person", "command", "api", "schedule", "change", "rerun"]
    reason: str
    note: str = Field(..., description="What it waits for, or why it ended.")


class RunsPage(BaseModel):
    runs: list[RunShown]
    next_before: int | None = Field(
        ..., description="Pass it as `before` for the next page; null at the end."
    )
