"""Who may sign in to the demo. The seed makes these people; the log-in page offers them in the demo only."""

from dataclasses import dataclass

from django.conf import settings

PASSWORD = "demo-portal-1"


@dataclass(frozen=True)
class DemoPerson:
    email: str
    title: str
    sees: str


PEOPLE = (
    DemoPerson("owner@demo.example", "Merchant, owner", "the merchant pages, and may change everything"),
    DemoPerson(
        "manager@demo.example", "Merchant, manager", "the merchant pages; changes mappings and starts runs"
    ),
    DemoPerson("viewer@demo.example", "Merchant, viewer", "the merchant pages, and may only look"),
    DemoPerson(
        "staff@demo.example", "Staff", "everything in the admin; changes connections, programmes and people"
    ),
    DemoPerson("support@demo.example", "Support", "runs, rows and members in the admin; may re-run"),
    DemoPerson(
        "admin@demo.example",
        "Administrator",
        "everything in the admin; also groups, permissions and staff accounts",
    ),
)


def offered() -> list[dict[str, str]]:
    """What the log-in page offers: nothing outside the demo."""
    if not settings.DEMO:
        return []
    return [
        {"email": person.email, "title": person.title, "sees": person.sees, "password": PASSWORD}
        for person in PEOPLE
    ]
