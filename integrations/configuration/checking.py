"""A document checked as a whole: what it asks for, or every problem at once."""

from collections.abc import Iterable

from integrations.configuration import connections, programme
from integrations.configuration.parts import Part
from integrations.configuration.problems import ConfigProblems, Document, Problem
from integrations.configuration.wanted import Wanted, WantedTenant
from integrations.models import Extension
from loyalty.models import Audience


def check(document: Document) -> Wanted:
    """What the document asks for; raises ConfigProblems. Looks at no row."""
    problems: list[Problem] = []
    whole = Part(document, problems, document.value)
    if not whole.has("tenant"):
        whole.refuse("tenant", "is missing: whose file is this?")
    wanted = Wanted(
        tenant=programme.tenant(whole.part("tenant")) if whole.has("tenant") else WantedTenant(""),
        users=programme.users(whole.parts("users")),
        tiers=programme.tiers(whole.parts("tiers"), whole),
        audiences=programme.audiences(whole.parts("audiences")),
        extensions=connections.extensions(whole.parts("extensions")),
    )
    whole.take("tenant")
    whole.done()
    unread = {problem.path for problem in document.problems}  # a value that is not there is told once
    told = [*document.problems, *(problem for problem in problems if problem.path not in unread)]
    if told:
        raise ConfigProblems(sorted(told, key=lambda found: found.line or 0), document.source)
    return wanted


def check_against_rows(document: Document, wanted: Wanted, before: Iterable[Wanted] = ()) -> None:
    """What only the tenant's rows can show; `before` are files that will have been applied by then."""
    slug = wanted.tenant.slug
    audiences = set(Audience.objects.filter(tenant__slug=slug).values_list("slug", flat=True))
    for file in [*(other for other in before if other.tenant.slug == slug), wanted]:
        audiences |= {audience.slug for audience in file.audiences}
    destinations = dict(Extension.objects.filter(tenant__slug=slug).values_list("name", "destination"))
    problems = []
    for extension in wanted.extensions:
        kind = destinations.get(extension.name, extension.destination)
        if kind != extension.destination:
            words = f"{extension.name} is a connection to {kind} already. Choose another name."
            problems.append(document.problem(f"{extension.path}.destination", words))
        for mapped in extension.lists:
            if mapped.audience not in audiences:
                words = f"there is no audience “{mapped.audience}”, neither in this file nor in the portal."
                problems.append(document.problem(f"{mapped.path}.audience", words))
    if problems:
        raise ConfigProblems(problems, document.source)
