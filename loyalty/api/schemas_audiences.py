"""Changes of audiences as the API's document describes them."""

from pydantic import BaseModel, ConfigDict, Field

from portal.rest.documented import Fault

MAX_IDS = 10_000


class AudienceChange(BaseModel):
    """Your own ids of the members who join and who leave; 10,000 together. Who is under both leaves."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"add": ["C-1001", "C-1002"], "remove": ["C-7"]}]}
    )
    add: list[str | int] = Field([], max_length=MAX_IDS)
    remove: list[str | int] = Field([], max_length=MAX_IDS)


class AudienceChanged(BaseModel):
    """`already`: were in it before. `not_members`: told to leave, not in it. `unknown`: no member has it."""

    added: int
    removed: int
    already: int
    not_members: list[str]
    unknown: list[str]
    refused: list[Fault] = Field([], description="What is no id, left out where there is nothing.")
