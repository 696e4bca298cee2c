"""A rule that is being built: its draft, what is wrong with it, whom it would hold, for the pages."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from loyalty import audience_query, audience_words, rule_builder
from loyalty.models import Audience, Member
from loyalty.rule_builder import Catalogue, GroupNode
from loyalty.rules import rule_form, rule_words
from loyalty.rules.audience_rules import Rule, RuleError, fields_of
from loyalty.rules.rule_form import DraftGroup
from loyalty.services import audience_counts
from loyalty.services.audience_counts import Found, TookTooLong
from portal.tenancy.models import Tenant

UNFINISHED = "Finish the rule to see whom it finds."


@dataclass(frozen=True)
class SamplePerson:
    member: Member
    values: tuple[tuple[str, str], ...]  # label of the field, the member's value in words


@dataclass(frozen=True)
class Outcome:
    """Whom a rule finds: all empty while it is unfinished; `is_slow` where counting takes too long."""

    sentence: str = ""
    found: Found | None = None
    samples: tuple[SamplePerson, ...] = ()
    is_slow: bool = False
    problems: int = 0

    @property
    def share(self) -> str:
        """Per cent of all members, not rounded down to nothing."""
        if self.found is None or not self.found.total:
            return ""
        exact = 100 * self.found.matching / self.found.total
        return "less than 1 %" if 0 < exact < 1 else f"{exact:.0f} %" if exact < 99 else f"{int(exact)} %"


class RuleDraft:
    """The draft of one tenant's rule, settled and parsed. `rule` is None where it cannot be used."""

    def __init__(self, tenant: Tenant, draft: DraftGroup) -> None:
        self.tenant = tenant
        self.catalogue = Catalogue(tenant)
        self.draft = rule_form.settled(draft, self.catalogue.operators)
        self.raw = rule_form.raw_of(self.draft, self.catalogue.kind_of)
        self.rule: Rule | None = None
        self.problems: dict[str, str] = {}
        try:
            self.rule = audience_query.parse(self.raw)
        except RuleError as error:
            self.problems = rule_form.problems_of(self.draft, error.problems)

    @classmethod
    def posted(cls, tenant: Tenant, names: Mapping[str, Sequence[str]]) -> "RuleDraft":
        """What a form sent, after the button that was pressed: `do` is a verb and a path."""
        verb, _, path = (names.get("do") or [""])[-1].partition(":")
        return cls(tenant, rule_form.change(rule_form.read(names), verb, path))

    @classmethod
    def stored(cls, tenant: Tenant, raw: object) -> "RuleDraft":
        found = cls(tenant, rule_form.EMPTY)
        return cls(tenant, rule_form.draft_of(raw, found.catalogue.kind_of)) if raw else found

    @property
    def json(self) -> str:
        return json.dumps(self.raw, indent=2, ensure_ascii=False)

    def nodes(self, *, is_saving: bool = False, focus: str = "") -> GroupNode:
        """The form. While it is being filled in, what is only missing yet is no error."""
        problems = self.problems if is_saving else self._wrong()
        return rule_builder.nodes(self.draft, self.catalogue, problems=problems, focus=focus)

    def _wrong(self) -> dict[str, str]:
        unfinished = set(rule_form.unfinished(self.draft))
        return {path: words for path, words in self.problems.items() if path not in unfinished}

    def outcome(self, audience: Audience | None = None, *, now: datetime | None = None) -> Outcome:
        """Whom it finds now, and what saving it as the rule of `audience` would change."""
        if self.rule is None:
            return Outcome(problems=len(self._wrong()))
        sentence = audience_words.of(self.rule, self.catalogue.names)
        now = now or timezone.now()
        try:
            found = audience_counts.count(self.tenant, self.rule, now, audience=audience)
            people = audience_counts.samples(self.tenant, self.rule, now)
        except TookTooLong:
            return Outcome(sentence, is_slow=True)
        return Outcome(sentence, found, tuple(self._sample(*one) for one in people))

    def _sample(self, member: Member, values: Mapping[str, Any]) -> SamplePerson:
        keys = sorted(fields_of(self.rule)) if self.rule else []
        return SamplePerson(
            member, tuple((self.label(key), self.value(key, values.get(key))) for key in keys)
        )

    def label(self, key: str) -> str:
        return label(key)

    def value(self, key: str, value: object) -> str:
        kind, called = self.catalogue.kind_of(key), self.catalogue.names.get(key)
        return rule_words.value_words(value, kind, called, self.tenant.zone)


def label(key: str) -> str:
    return rule_builder.LABELS.get(key) or audience_words.LABELS.get(key) or key.partition(".")[2]
