"""Members for a spreadsheet, streamed."""

from collections.abc import Iterator

from django.db.models import QuerySet

from loyalty.models import Member
from portal import spreadsheet

HEAD = ("id", "e-mail", "phone", "first name", "last name", "state", "tier", "points", "ever earned",
        "joined (UTC)", "last active (UTC)", "e-mail marketing", "SMS marketing")  # fmt: skip


def lines(found: QuerySet[Member]) -> Iterator[str]:
    rows = (
        (
            member.external_id,
            member.email,
            member.phone,
            member.first_name,
            member.last_name,
            member.get_state_display(),
            member.tier.name if member.tier else "",
            member.points_balance,
            member.points_lifetime,
            f"{member.enrolled_at:%Y-%m-%d %H:%M:%S}" if member.enrolled_at else "",
            f"{member.last_activity_at:%Y-%m-%d %H:%M:%S}" if member.last_activity_at else "",
            member.get_email_consent_display(),
            member.get_sms_consent_display(),
        )
        for member in found.select_related("tier").order_by("pk").iterator(chunk_size=2000)
    )
    return spreadsheet.lines(HEAD, rows)
