"""A member as the API shows them: what can be sent, under the same names, and what the programme adds."""

from datetime import UTC, datetime

from loyalty.models import Member
from loyalty.rules.member_input import CHANNELS, TEXT_LIMITS


def show(member: Member) -> dict[str, object]:
    """The member with their `tier` loaded."""
    tier = member.tier
    return {
        "external_id": member.external_id,
        "email": member.email,
        "email_malformed": member.email_malformed,
        "phone": member.phone,
        "phone_malformed": member.phone_malformed,
        **{name: getattr(member, name) for name in TEXT_LIMITS},
        "birthday": _birthday(member),
        "state": member.state,
        "enrolled_at": _moment(member.enrolled_at),
        "attributes": member.attributes,
        "tags": member.tags,
        "consent": {
            channel: status for channel in CHANNELS if (status := getattr(member, f"{channel}_consent"))
        },
        "tier_slug": tier and tier.slug,
        "tier_name": tier and tier.name,
        "tier_since": _moment(member.tier_since),
        "points_balance": member.points_balance,
        "points_lifetime": member.points_lifetime,
        "points_expiring_next": member.points_expiring_next,
        "points_expire_at": _moment(member.points_expire_at),
        "created_at": _moment(member.created_at),
        "updated_at": _moment(member.updated_at),
    }


def _birthday(member: Member) -> str | None:
    if member.birth_month is None:
        return None
    day = f"{member.birth_month:02d}-{member.birth_day:02d}"
    return f"{member.birth_year:04d}-{day}" if member.birth_year else day


def _moment(value: datetime | None) -> str | None:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if value else None
