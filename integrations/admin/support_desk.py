"""The support desk: open failures of all programmes by cause, one cause with its rows, and what can be done."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from integrations.admin.desk_forms import CareForm, DismissForm
from integrations.errors import DestinationError
from integrations.models import Dismissal, Extension, FailureCare
from integrations.rerun_forms import CauseRerunForm
from integrations.services import (
    cause_reruns,
    dismissing,
    failed_rows_csv,
    failure_care,
    failure_desk,
    failure_rows,
    run_history,
)
from integrations.services.failure_desk import Wanted
from integrations.views.runs import number
from portal import spreadsheet
from portal.admin_site import site
from portal.wording import counted

VIEW = "integrations.view_syncrow"
RERUN = "integrations.rerun_syncrun"
DISMISS = "integrations.add_dismissal"
CARE = "integrations.change_failurecare"
OWNERS = (("", "Everybody's"), ("mine", "Mine"), ("nobody", "Nobody's"))
AGES = (("", "Any age"), ("day", "Older than a day"), ("week", "Older than a week"))
SORTS = (("count", "Most rows first"), ("age", "Oldest first"))
DISMISSALS = 100
TITLES = {"cause": "", "rerun": "Re-run: ", "dismiss": "Put aside: "}


@site.page("support/", name="support_desk", label="Support desk", permission=VIEW, position=1)
@require_safe
def desk(request: HttpRequest) -> HttpResponse:
    wanted = _wanted(request)
    found = failure_desk.causes(wanted)
    context = {
        "title": "Support desk",
        "found": found,
        "totals": failure_desk.totals(),
        "wanted": wanted,
        "owners": OWNERS,
        "ages": AGES,
        "sorts": SORTS,
        "held": failure_desk.held() if request.GET.get("held") == "1" else None,
        "next_page": wanted.page + 1 if found.has_more else None,
    }
    return _page(request, "desk", context)


def _wanted(request: HttpRequest) -> Wanted:
    """The filter that the address names; nonsense in it lets all through."""
    asked = request.GET
    return Wanted(
        tenant=asked.get("tenant", ""),
        code=asked.get("code"),
        owner=asked.get("owner", ""),
        user_id=request.user.pk,
        age=asked.get("age", ""),
        sort=asked.get("sort", "count"),
        page=min(number(asked.get("page")) or 0, 1000),
    )


@site.page("support/<int:extension_id>/", name="support_cause", permission=VIEW)
@require_safe
def cause(request: HttpRequest, extension_id: int) -> HttpResponse:
    extension, code = _which(request, extension_id)
    found = failure_desk.one(extension.pk, code)
    before = number(request.GET.get("before"))
    page = failure_rows.page(extension, code, before=before)
    care = FailureCare.objects.filter(extension=extension, code=code).first()
    context = {
        "cause": found,
        "rows": page.items,
        "next_key": page.next_key,
        "before": before,
        "form": CareForm(initial={"owner": care.owner_id, "note": care.note} if care else None),
    }
    return _of_cause(request, "cause", extension, code, context)


@site.page("support/<int:extension_id>/care/", name="support_care", permission=CARE)
@require_POST
def care(request: HttpRequest, extension_id: int) -> HttpResponse:
    """*Take it* gives the cause to who asks; the form gives it to anybody, with a note."""
    extension, code = _which(request, extension_id)
    user: Any = request.user
    if "take" in request.POST:
        failure_care.assign(extension, code, user)
        messages.success(request, "This cause is yours.")
        return redirect("admin:support_desk") if "desk" in request.POST else _to_cause(extension, code)
    form = CareForm(request.POST)
    if form.is_valid():
        failure_care.assign(extension, code, form.cleaned_data["owner"])
        failure_care.note(extension, code, form.cleaned_data["note"])
        messages.success(request, "Kept.")
    return _to_cause(extension, code)


@site.page("support/<int:extension_id>/rows.csv", name="support_csv", permission=VIEW)
@require_safe
def csv(request: HttpRequest, extension_id: int) -> HttpResponseBase:
    extension, code = _which(request, extension_id)
    rows = failure_rows.everything(extension, code)
    lines = failed_rows_csv.lines_of(rows, run_history.destination_name(extension))
    return spreadsheet.response(lines, f"open-failures-{extension.pk}.csv")


@site.page("support/<int:extension_id>/rerun/", name="support_rerun", permission=RERUN)
@require_http_methods(["GET", "HEAD", "POST"])
def rerun(request: HttpRequest, extension_id: int) -> HttpResponse:
    """Says what will happen, in numbers; then one POST makes one run."""
    extension, code = _which(request, extension_id)
    form = CauseRerunForm(request.POST or None)
    user: Any = request.user
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        try:
            made = cause_reruns.create(extension, code, user=user, reason=reason)
        except DestinationError as error:
            form.add_error(None, error.words)
        else:
            messages.success(
                request, f"Run #{made.pk} is on its way. What it mends leaves the desk by itself."
            )
            return redirect("admin:integrations_syncrun_change", made.pk)
    runs = failure_desk.open_rows(extension, code).order_by().values_list("run", flat=True).distinct()[:2]
    context = {"form": form, "outlook": cause_reruns.outlook(extension, code), "runs": list(runs)}
    return _of_cause(request, "rerun", extension, code, context)


@site.page("support/<int:extension_id>/dismiss/", name="support_dismiss", permission=DISMISS)
@require_http_methods(["GET", "HEAD", "POST"])
def dismiss(request: HttpRequest, extension_id: int) -> HttpResponse:
    extension, code = _which(request, extension_id)
    form = DismissForm(request.POST or None)
    user: Any = request.user
    if request.method == "POST" and form.is_valid():
        try:
            made = dismissing.dismiss(extension, code, by=user, note=form.cleaned_data["note"])
        except DestinationError as error:
            form.add_error(None, error.words)
        else:
            words = f"{counted(made.rows, 'row is', 'rows are')} put aside. You can bring them back."
            messages.success(request, words)
            return redirect("admin:support_desk")
    context = {"form": form, "cause": failure_desk.one(extension.pk, code)}
    return _of_cause(request, "dismiss", extension, code, context)


@site.page("support/put-aside/", name="support_aside", permission=VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def put_aside(request: HttpRequest) -> HttpResponse:
    """What was put aside, by whom and why; a POST brings one of them back."""
    if request.method == "POST":
        if not request.user.has_perm(DISMISS):
            raise PermissionDenied
        chosen = get_object_or_404(Dismissal, pk=number(request.POST.get("dismissal")) or 0)
        back = dismissing.bring_back(chosen)
        words = (
            f"{counted(back, 'row is', 'rows are')} open again." if back else "All of it was mended since."
        )
        messages.success(request, words)
        return redirect("admin:support_aside")
    found = Dismissal.objects.select_related("extension__tenant", "by")
    found = found.defer("extension__secret", "extension__refresh_token")
    before = number(request.GET.get("before"))
    page = list((found.filter(pk__lt=before) if before else found)[: DISMISSALS + 1])
    context = {
        "title": "Put aside",
        "aside": [(one, failure_desk.advice(one.extension, one.code)) for one in page[:DISMISSALS]],
        "before": before,
        "next_key": page[DISMISSALS - 1].pk if len(page) > DISMISSALS else None,
    }
    return _page(request, "put_aside", context)


def _which(request: HttpRequest, extension_id: int) -> tuple[Extension, str]:
    """The connection, and the code that the address names; an empty one is a code as well."""
    found = Extension.objects.select_related("tenant").defer("secret", "refresh_token")
    return get_object_or_404(found, pk=extension_id), request.GET.get("code", "")[:60]


def cause_address(extension_id: int, code: str) -> str:
    return f"{reverse('admin:support_cause', args=[extension_id])}?{urlencode({'code': code})}"


def _to_cause(extension: Extension, code: str) -> HttpResponse:
    return redirect(cause_address(extension.pk, code))


def _of_cause(
    request: HttpRequest, template: str, extension: Extension, code: str, context: dict[str, Any]
) -> HttpResponse:
    advice = failure_desk.advice(extension, code)
    known = {
        "title": f"{TITLES[template]}{advice.title}",
        "extension": extension,
        "code": code,
        "advice": advice,
    }
    return _page(request, template, {**known, "back": cause_address(extension.pk, code), **context})


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    may = {
        "may_rerun": request.user.has_perm(RERUN),
        "may_dismiss": request.user.has_perm(DISMISS),
        "may_care": request.user.has_perm(CARE),
    }
    return TemplateResponse(
        request, f"admin/support/{template}.html", {**site.each_context(request), **may, **context}
    )
