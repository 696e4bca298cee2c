"""The programme's rows, one file per noun."""

from loyalty.models.audiences import Audience, AudienceMember
from loyalty.models.consent import Channel, ConsentRecord, ConsentStatus
from loyalty.models.members import DirtyMember, ErasedMember, Member, MemberState
from loyalty.models.outbox import OutboxEvent
from loyalty.models.points import EntryKind, LotUse, PointsEntry, PointsLot
from loyalty.models.tiers import Tier, TierChange

__all__ = [
    "Audience",
    "AudienceMember",
    "Channel",
    "ConsentRecord",
    "ConsentStatus",
    "DirtyMember",
    "EntryKind",
    "ErasedMember",
    "LotUse",
    "Member",
    "MemberState",
    "OutboxEvent",
    "PointsEntry",
    "PointsLot",
    "Tier",
    "TierChange",
]
