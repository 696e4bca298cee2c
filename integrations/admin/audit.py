"""Audit: who changed which setting of which programme, in words, and as a file."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from integrations.views.runs import number
from portal import spreadsheet
from portal.admin_site import site
from portal.tenancy import audit
from portal.tenancy.audit import Wanted

VIEW = "auditlog.view_logentry"
PERIODS = (("", "Any time"), ("1", "Last 24 hours"), ("7", "Last 7 days"), ("30", "Last 30 days"))


class AuditForm(forms.Form):
    tenant = forms.CharField(required=False, max_length=100, label="Programme")
    person = forms.CharField(required=False, max_length=100, label="Person (e-mail)")
    kind = forms.ChoiceField(required=False, label="Kind of setting")
    days = forms.ChoiceField(required=False, choices=PERIODS, label="Period")

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["kind"].choices = [("", "All kinds"), *audit.kinds()]  # type: ignore[attr-defined]


@site.page("audit/", name="audit", label="Audit: changed settings", permission=VIEW, position=2)
@require_safe
def changes(request: HttpRequest) -> HttpResponse:
    form = AuditForm(request.GET)
    wanted = _wanted(form, number(request.GET.get("before")))
    found, following = audit.page(wanted)
    context = {
        **site.each_context(request),
        "title": "Audit: changed settings",
        "is_history": True,
        "form": form,
        "entries": found,
        "wanted": wanted,
        "next_key": following,
        "is_filtered": wanted != Wanted(before=wanted.before),
    }
    return TemplateResponse(request, "admin/audit/changes.html", context)


@site.page("audit.csv", name="audit_csv", permission=VIEW)
@require_safe
def changes_csv(request: HttpRequest) -> HttpResponseBase:
    """All that the filters let through, whichever page is looked at."""
    return spreadsheet.response(audit.lines(_wanted(AuditForm(request.GET), None)), "audit.csv")


def _wanted(form: AuditForm, before: int | None) -> Wanted:
    """What the form asks for; what is not valid in it lets all through."""
    form.is_valid()
    asked = form.cleaned_data
    return Wanted(
        tenant=asked.get("tenant", ""),
        person=asked.get("person", ""),
        kind=asked.get("kind", ""),
        days=number(asked.get("days")),
        before=before,
    )
