"""Regular work of the programme."""

from portal.runtime.schedules import Every

SCHEDULES = [
    Every("expire points", "loyalty.tasks.expire_points", minutes=15),
    # Days begin at another hour in every time zone, so this looks every hour whose day has begun.
    Every("begin days", "loyalty.tasks.begin_days", hours=1),
]
