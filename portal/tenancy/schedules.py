"""Regular work of the ground."""

from portal.runtime.schedules import Every

SCHEDULES = [
    Every("purge idempotent replies", "portal.tenancy.tasks.purge_idempotent_replies", hours=1),
]
