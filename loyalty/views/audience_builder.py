"""An audience made or changed: its name, its rule as a form, and whom the rule finds while it is built."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from loyalty import audience_words
from loyalty.forms import AudienceForm, taken
from loyalty.models import Audience
from loyalty.rule_drafts import RuleDraft
from loyalty.rules import rule_form, starting_rules
from loyalty.services import audience_saving
from loyalty.services.audience_saving import ChangedMeanwhile, Saved, SlugTaken
from portal import wording
from portal.tenancy.guards import TenantRequest, tenant_view
from portal.tenancy.models import Role

SAVE, SHOW = "save", "show"


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_view(role=Role.MANAGER)
def new(request: TenantRequest) -> HttpResponse:
    is_static, start = request.GET.get("static") == "1", request.GET.get("start", "")
    tiers = audience_words.names(request.tenant)["tier_slug"]
    if request.method != "POST" and not (is_static or start):
        return render(request, "loyalty/audience_choose.html", {"starts": starting_rules.starts(tiers)})
    if request.method == "POST":
        return _posted(request, None, is_static=is_static)
    begun = starting_rules.start_of(start, tiers)
    form = AudienceForm(initial={"name": begun.name} if begun else None, tenant=request.tenant)
    draft = None if is_static else RuleDraft.stored(request.tenant, begun.rule if begun else None)
    return _page(request, form, draft)


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_view(role=Role.MANAGER)
def edit(request: TenantRequest, audience_id: int) -> HttpResponse:
    audience = get_object_or_404(Audience, tenant=request.tenant, pk=audience_id)
    if request.method == "POST":
        return _posted(request, audience, is_static=audience.is_static)
    form = AudienceForm(initial={"name": audience.name}, tenant=request.tenant, audience=audience)
    draft = None if audience.is_static else RuleDraft.stored(request.tenant, audience.rule)
    return _page(request, form, draft, audience)


@require_POST
@tenant_view(role=Role.MANAGER)
def preview(request: TenantRequest) -> HttpResponse:
    """The form of the rule as it was changed, with whom it finds now: a fragment."""
    told = request.POST.get("audience", "")
    audience = None
    if told.isascii() and told.isdigit() and len(told) < 19:
        audience = get_object_or_404(Audience, tenant=request.tenant, pk=int(told))
    draft = RuleDraft.posted(request.tenant, _names(request))
    return render(request, "loyalty/audience_builder.html", _rule_context(request, draft, audience))


def _posted(request: TenantRequest, audience: Audience | None, *, is_static: bool) -> HttpResponse:
    """A button in the form was pressed: to save, or to change the form and look at it again."""
    draft = None if is_static else RuleDraft.posted(request.tenant, _names(request))
    form = AudienceForm(request.POST, tenant=request.tenant, audience=audience)
    if request.POST.get("do", SAVE) != SAVE:
        form = AudienceForm(initial=request.POST.dict(), tenant=request.tenant, audience=audience)
        return _page(request, form, draft, audience)
    if not form.is_valid() or (draft and draft.rule is None):
        return _page(request, form, draft, audience, is_saving=True)
    try:
        saved = _save(request, form, draft, audience)
    except SlugTaken as clash:
        form.add_error("slug", taken(str(clash)))
        return _page(request, form, draft, audience, is_saving=True)
    except ChangedMeanwhile as clash:
        return _page(request, form, draft, clash.audience, is_saving=True, is_behind=True)
    messages.success(request, told(saved))
    place = "audience_people" if is_static and audience is None else "audience"
    return redirect(place, request.tenant.slug, saved.audience.pk)


def _save(
    request: TenantRequest, form: AudienceForm, draft: RuleDraft | None, audience: Audience | None
) -> Saved:
    rule = draft.raw if draft else None
    name = str(form.cleaned_data["name"])
    if audience is None:
        return audience_saving.create(request.tenant, name=name, slug=form.cleaned_data["slug"], rule=rule)
    revision = request.POST.get("revision", "")
    return audience_saving.change(audience, name=name, rule=rule, revision=revision)


def told(saved: Saved) -> str:
    """What saving did, in numbers."""
    name = f"“{saved.audience.name}” is saved."
    if saved.audience.is_static:
        return name
    if saved.moved is None:
        return f"{name} Members join and leave within some minutes."
    if not (saved.moved.joined or saved.moved.left):
        return f"{name} Nobody joined and nobody left."
    return f"{name} {wording.counted(saved.moved.joined, 'member')} joined, {saved.moved.left:,} left."


def _names(request: TenantRequest) -> dict[str, list[str]]:
    return {name: [str(value) for value in values] for name, values in request.POST.lists()}


def _page(
    request: TenantRequest,
    form: AudienceForm,
    draft: RuleDraft | None,
    audience: Audience | None = None,
    *,
    is_saving: bool = False,
    is_behind: bool = False,
) -> HttpResponse:
    context = {
        "form": form,
        "audience": audience,
        "draft": draft,
        "revision": _revision(request, audience, is_behind=is_behind),
        "behind": _behind(audience, draft) if is_behind and audience else None,
        "has_rule_problems": is_saving and draft is not None and draft.rule is None,
        **(_rule_context(request, draft, audience, is_saving=is_saving) if draft else {}),
    }
    return render(request, "loyalty/audience_form.html", context)


def _rule_context(
    request: TenantRequest, draft: RuleDraft, audience: Audience | None, *, is_saving: bool = False
) -> dict[str, Any]:
    return {
        "draft": draft,
        "audience": audience,
        "node": draft.nodes(is_saving=is_saving, focus=focus_after(request.POST.get("do", ""), draft)),
        "outcome": draft.outcome(audience),
        "preview_url": reverse("audience_preview", args=[request.tenant.slug]),
    }


def focus_after(pressed: str, draft: RuleDraft) -> str:
    """Where the eye goes after a button: to what was added, or to the group that something was taken from."""
    verb, _, path = pressed.partition(":")
    if verb == "remove":
        return path.rpartition("-")[0]
    return rule_form.newest(draft.draft, path) if verb in ("condition", "group") else ""


def _revision(request: TenantRequest, audience: Audience | None, *, is_behind: bool) -> str:
    """Kept while the form is changed; the present one once somebody was told of the other change."""
    if audience is None:
        return ""
    if request.method == "POST" and not is_behind:
        return request.POST.get("revision", "")
    return audience_saving.revision_of(audience)


def _behind(audience: Audience, draft: RuleDraft | None) -> dict[str, str]:
    """What somebody else made of the audience meanwhile."""
    sentence = audience_words.sentence(audience.rule, draft.catalogue.names) if draft else ""
    return {"by": audience_saving.changed_by(audience), "name": audience.name, "sentence": sentence}
