from integrations.admin import (
    audit,
    batches,
    dashboard,
    deliveries,
    extensions,
    rows,
    runs,
    support_desk,
    troubles,
)

__all__ = [
    "audit",
    "batches",
    "dashboard",
    "deliveries",
    "extensions",
    "rows",
    "runs",
    "support_desk",
    "troubles",
]
