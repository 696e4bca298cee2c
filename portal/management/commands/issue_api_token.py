"""Print a new API token of a tenant, once, and nothing else on standard output."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from typing_extensions import override

from portal.tenancy import tokens
from portal.tenancy.models import ApiToken, Tenant


class Command(BaseCommand):
    help = "Issues an ingestion API token. It is shown this once; only its hash is kept."

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name, such as acme")
        parser.add_argument("name", help="what the token is for, such as “till system”")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        _, text = tokens.issue(_tenant(options["tenant"]), _name(options["name"]))
        self.stdout.write(text)


def _tenant(slug: str) -> Tenant:
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is not None:
        return tenant
    known = ", ".join(Tenant.objects.order_by("slug").values_list("slug", flat=True)[:50]) or "none yet"
    raise CommandError(f"There is no tenant “{slug}”. Known tenants: {known}.", returncode=2)


def _name(given: str) -> str:
    name = given.strip()
    limit = ApiToken._meta.get_field("name").max_length or 0
    if not 0 < len(name) <= limit:
        raise CommandError(f"The name of a token must have 1 to {limit} characters.", returncode=2)
    return name
