"""The file of the examples, with a change here and there, and a short way to apply it."""

from integrations.configuration import applying, reading

KEY = "pk_acme_0123456789abcdef"
PASSWORD = "correct-horse-battery"
ENVIRONMENT = {"ACME_KLAVIYO_KEY": KEY, "ACME_OWNER_PASSWORD": PASSWORD}

ACME = """\
tenant: {slug: acme, name: Acme Coffee, timezone: Europe/London, currency: GBP}
users:
  - {email: owner@acme.example, role: owner, password: "${ACME_OWNER_PASSWORD}"}
tiers:
  - {slug: gold, name: Gold, threshold: 1000}
audiences:
  - slug: gold-members
    name: Gold members
    rule: {all: [{field: tier_slug, op: equals, value: gold}, {field: points_balance, op: at_least, value: 100}]}
  - {slug: press, name: Press, static: true}
extensions:
  - name: Klaviyo
    destination: klaviyo
    active: true
    auth: {method: private_key, private_key: "${ACME_KLAVIYO_KEY}"}
    merge_policy: overwrite
    only_opted_in: false
    events_enabled: true
    fields:
      - {field: points_balance, property: Points Balance}
      - {field: tier_name, property: VIP Tier, policy: fill_empty}
    events:
      points_earned: {metric: Points Earned, enabled: true}
      tier_lost: {metric: Left A Tier, enabled: false}
    lists:
      - {audience: gold-members, list: "VIP Customers", create: true, remove_leavers: true}
"""


def apply(text=ACME, *, environment=ENVIRONMENT, dry_run=False):
    """Apply one text; return the lines that are printed."""
    document = reading.read(text, environment, source="acme.yaml")
    return applying.apply_all([document], dry_run=dry_run)[0].lines()
