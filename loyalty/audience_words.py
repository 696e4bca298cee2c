"""Audience rules in the words of a tenant: labels from the catalogue of fields, names from the tiers."""

from collections.abc import Mapping

from loyalty import audience_query, fields
from loyalty.models import ConsentStatus, MemberState, Tier
from loyalty.rules import rule_words
from loyalty.rules.audience_rules import Rule, RuleError
from loyalty.rules.rule_words import Names
from portal.tenancy.models import Tenant

LABELS = {field.key: field.label for field in fields.STATIC}
_CONSENT = {value: label.lower() for value, label in ConsentStatus.choices}


def names(tenant: Tenant) -> Names:
    """By field key and value, what values are called. One query."""
    return {
        "tier_slug": dict(
            Tier.objects.filter(tenant=tenant).order_by("threshold").values_list("slug", "name")
        ),
        "state": {value: label.lower() for value, label in MemberState.choices},
        "email_consent": _CONSENT,
        "sms_consent": _CONSENT,
    }


def sentence(raw: object, called: Mapping[str, Mapping[str, str]]) -> str:
    """A stored rule as one sentence; `called` is what `names` gives, asked for once for many rules."""
    try:
        return of(audience_query.parse(raw), called)
    except RuleError:
        return "The rule cannot be used any more. Change it, so that members join and leave again."


def of(rule: Rule, called: Names) -> str:
    return rule_words.sentence(rule, LABELS, called)
