"""Prove the points ledger: balances, running balances and lots against each other."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from typing_extensions import override

from loyalty.services.ledger_proof import Proof, prove
from portal.tenancy.models import Tenant


class Command(BaseCommand):
    help = "Prove every cached balance from the ledger's rows. Exit status 1 when one does not hold."

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", nargs="?", help="Short name of one tenant; all of them when omitted.")
        parser.add_argument("--json", action="store_true", help="Print one JSON object on standard output.")

    @override
    def handle(self, *, tenant: str | None, json: bool, **options: Any) -> None:
        tenants = Tenant.objects.order_by("slug")
        if tenant:
            tenants = tenants.filter(slug=tenant)
            if not tenants:
                known = ", ".join(Tenant.objects.order_by("slug").values_list("slug", flat=True)[:50])
                raise CommandError(
                    f"There is no tenant “{tenant}”. Known tenants: {known or 'none yet'}.", returncode=2
                )
        proofs = {found.slug: prove(found) for found in tenants}
        self._print_json(proofs) if json else self._print(proofs)
        if not all(proof.holds for proof in proofs.values()):
            raise SystemExit(1)

    def _print(self, proofs: dict[str, Proof]) -> None:
        for slug, proof in proofs.items():
            if proof.holds:
                self.stdout.write(f"{slug}: the ledger holds for {proof.members} members.")
            for check, count in proof.counts.items():
                if count:
                    self.stdout.write(f"{slug}: “{check}” fails {count} times, first of all for")
                for broken in (found for found in proof.broken if found.check == check):
                    self.stdout.write(
                        f"  {broken.external_id}: {broken.kept} is kept, {broken.proven} proven"
                    )

    def _print_json(self, proofs: dict[str, Proof]) -> None:
        told = {
            "holds": all(proof.holds for proof in proofs.values()),
            "tenants": {
                slug: {
                    "members": proof.members,
                    "counts": proof.counts,
                    "broken": [vars(broken) for broken in proof.broken],
                }
                for slug, proof in proofs.items()
            },
        }
        self.stdout.write(json.dumps(told))
