"""Why is Ann in this audience, or why not: the rule, condition by condition, with what is known of her."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.timezone import get_current_timezone
from django.views.decorators.http import require_safe

from loyalty import audience_query, audience_words, fields
from loyalty.models import Audience, AudienceMember, Member
from loyalty.rules import explaining, rule_words
from loyalty.rules.audience_rules import Condition, Rule, RuleError, fields_of
from loyalty.rules.explaining import Explanation
from loyalty.rules.rule_words import Names
from loyalty.rules.windows import Calendar
from loyalty.services import members as members_service
from portal.tenancy.guards import TenantRequest, tenant_view
from portal.tenancy.models import Tenant

OFFERED = 10


@dataclass(frozen=True)
class Reason:
    """One node of the rule in words; a condition says the member's value, a group has parts."""

    holds: bool
    words: str
    value: str = ""
    parts: tuple["Reason", ...] = ()


@dataclass(frozen=True)
class Answer:
    """`stay` is the present one, or the last; `reason` is None for static audiences and unusable rules."""

    member: Member
    stay: AudienceMember | None
    reason: Reason | None = None
    is_unusable: bool = False

    @property
    def is_in(self) -> bool:
        return self.stay is not None and self.stay.left_at is None

    @property
    def will_change(self) -> bool:
        return self.reason is not None and self.reason.holds != self.is_in


@require_safe
@tenant_view()
def why(request: TenantRequest, audience_id: int) -> HttpResponse:
    audience = get_object_or_404(Audience, tenant=request.tenant, pk=audience_id)
    every = Member.objects.for_tenant(request.tenant)
    asked, key = request.GET.get("q", "").strip(), request.GET.get("member", "")
    found: list[Member] = []
    if key.isascii() and key.isdigit() and len(key) < 19:
        found = list(every.filter(pk=int(key)))
    elif asked:
        found = list(
            every.filter(pk__in=members_service.find([request.tenant.pk], asked)).order_by("pk")[
                : OFFERED + 1
            ]
        )
    context = {
        "audience": audience,
        "asked": asked,
        "is_asked": bool(asked or key),
        "found": found[:OFFERED],
        "has_more": len(found) > OFFERED,
        "answer": answer(request.tenant, audience, found[0]) if len(found) == 1 else None,
    }
    return render(request, "loyalty/audience_why.html", context)


def answer(tenant: Tenant, audience: Audience, member: Member) -> Answer:
    """Whether a member is in, and how the rule comes to it by what is known now. Some four queries."""
    stays = AudienceMember.objects.filter(audience=audience, member=member)
    # The present stay has no end, so it comes first.
    stay = stays.order_by("-left_at", "-pk").first()
    if audience.is_static:
        return Answer(member, stay)
    try:
        rule = audience_query.parse(audience.rule)
    except RuleError:
        return Answer(member, stay, is_unusable=True)
    return Answer(member, stay, explained(tenant, rule, member))


def explained(tenant: Tenant, rule: Rule, member: Member) -> Reason:
    names = {key: key for key in sorted(fields_of(rule))}
    judged = Member.objects.for_tenant(tenant).annotate(values_now=fields.document(names))
    values = judged.values_list("values_now", flat=True).get(pk=member.pk)
    calendar = Calendar.at(timezone.now(), tenant.zone)
    return _reason(explaining.explain(rule, values, calendar), audience_words.names(tenant))


_GROUPS = {
    "all": "All of these are true",
    "any": "At least one of these is true",
    "none": "None of these is true",
}


def _reason(found: Explanation, names: Names) -> Reason:
    rule = found.rule
    if isinstance(rule, Condition):
        words = rule_words.condition_words(rule, audience_words.LABELS, names)
        value = rule_words.value_words(found.value, rule.type, names.get(rule.field), get_current_timezone())
        return Reason(found.holds, words[:1].upper() + words[1:], value)
    return Reason(found.holds, _GROUPS[rule.kind], parts=tuple(_reason(part, names) for part in found.parts))
