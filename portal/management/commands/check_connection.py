"""Ask destinations now whether they accept us, and what we may do."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from typing_extensions import override

from integrations.errors import DestinationError
from integrations.models import Extension
from integrations.services import connections
from portal.management.arguments import extensions_of, tenant_named


class Command(BaseCommand):
    help = "Checks a tenant's connections live. Exit status: 0 all work, 1 one does not, 2 wrong use."

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name, such as acme")
        parser.add_argument("--extension", metavar="NAME", help="only this connection")
        parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        extensions = extensions_of(tenant_named(options["tenant"]), options["extension"])
        found = [_checked(extension) for extension in extensions]
        if options["json"]:
            self.stdout.write(json.dumps({"connections": found}))
        else:
            for one in found:
                self._tell(one)
        if not all(one["ok"] for one in found):
            raise SystemExit(1)

    def _tell(self, one: dict[str, Any]) -> None:
        account = f"account {one['account_name']} ({one['account_id']})"
        if one["is_practice"]:
            account += ", practice"
        if one["ok"]:
            self.stdout.write(f"{one['extension']}: works, {account}")
            return
        self.stdout.write(f"{one['extension']}: {one['reason']}")
        for scope in one["missing_scopes"]:
            self.stdout.write(f"  missing permission: {scope}")


def _checked(extension: Extension) -> dict[str, Any]:
    reason, missing = "", []
    try:
        report = connections.check(extension)
        missing = list(report.missing_scopes)
        reason = extension.health_reason if missing else ""
    except DestinationError as error:
        reason = error.words
    return {
        "extension": extension.name,
        "ok": not reason,
        "account_id": extension.account_id,
        "account_name": extension.account_name,
        "is_practice": extension.is_practice,
        "missing_scopes": missing,
        "reason": reason,
    }
