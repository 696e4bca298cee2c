"""Fields and the properties that they become: what is mapped, mapping, changing, taking away."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from integrations.errors import DestinationError
from integrations.forms_fields import FieldMappingForm, OldValuesForm
from integrations.models import Extension, FieldMapping
from integrations.services import clearing, field_mappings, fields_page, run_history
from loyalty import fields as catalogue
from portal.tenancy.guards import TenantRequest, tenant_view
from portal.tenancy.models import Role

UNDO = "field_removed"


def connections_of(request: TenantRequest) -> list[Extension]:
    """The tenant's connections, those that are on first."""
    mine = Extension.objects.for_tenant(request.tenant).defer("secret", "refresh_token")
    return list(mine.select_related("tenant").order_by("-is_active", "name"))


def chosen(request: TenantRequest, mine: list[Extension]) -> Extension | None:
    """The connection that the address names, else the first; None where there is none."""
    wanted = request.GET.get("connection")
    if not wanted:
        return mine[0] if mine else None
    for extension in mine:
        if str(extension.pk) == wanted:
            return extension
    raise Http404("There is no such connection.")


def mapping_of(request: TenantRequest, field_mapping_id: int) -> FieldMapping:
    mine = FieldMapping.objects.select_related("extension__tenant").filter(extension__tenant=request.tenant)
    return get_object_or_404(mine.defer("extension__secret", "extension__refresh_token"), pk=field_mapping_id)


def to_fields(extension: Extension) -> HttpResponse:
    return redirect(f"{reverse('fields', args=[extension.tenant.slug])}?connection={extension.pk}")


@require_safe
@tenant_view()
def fields(request: TenantRequest) -> HttpResponse:
    mine = connections_of(request)
    extension = chosen(request, mine)
    context: dict[str, Any] = {"connections": mine, "extension": extension}
    if extension is not None:
        undo = request.session.get(UNDO)
        if undo and undo["connection"] == extension.pk:
            context["undo"] = request.session.pop(UNDO)
        context |= fields_page.of(extension)
    return render(request, "integrations/fields.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_view(role=Role.MANAGER)
def field_new(request: TenantRequest) -> HttpResponse:
    extension = chosen(request, connections_of(request))
    if extension is None:
        return render(request, "integrations/field_form.html", {"extension": None})
    form = FieldMappingForm(
        request.POST or None,
        extension=extension,
        known=catalogue.all_fields(request.tenant),
        initial={"field": request.GET.get("field", "")},
    )
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            mapping = field_mappings.add(
                extension, field=given["field"], property=given["property"], policy=given["policy"]
            )
        except DestinationError as error:
            form.add_error("property", error.words)
        else:
            messages.success(
                request, f"“{mapping.property}” is mapped. {fields_page.what_follows(extension)}"
            )
            return to_fields(extension)
    return render(request, "integrations/field_form.html", _form_context(request, form))


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_view(role=Role.MANAGER)
def field_edit(request: TenantRequest, field_mapping_id: int) -> HttpResponse:
    mapping = mapping_of(request, field_mapping_id)
    form = FieldMappingForm(
        request.POST or None,
        extension=mapping.extension,
        known=fields_page.known_with(request.tenant, mapping),
        mapping=mapping,
        initial={"field": mapping.field, "property": mapping.property, "policy": mapping.policy},
    )
    if request.method == "POST" and form.is_valid():
        warning = form.type_change()
        given = {key: form.cleaned_data[key] for key in ("field", "property", "policy", "old")}
        try:
            field_mappings.change(FieldMapping.objects.get(pk=mapping.pk), **given)
        except DestinationError as error:
            form.add_error("property", error.words)
        else:
            follows = fields_page.what_follows(mapping.extension)
            messages.success(request, f"“{given['property']}” is changed. {follows}")
            if warning:
                messages.warning(request, warning)
            return to_fields(mapping.extension)
    return render(request, "integrations/field_form.html", _form_context(request, form))


def _form_context(request: TenantRequest, form: FieldMappingForm) -> dict[str, Any]:
    mapping, extension = form.mapping, form.extension
    return {
        "form": form,
        "mapping": mapping,
        "extension": extension,
        "name": run_history.destination_name(extension),
        "policies": fields_page.policy_choices(extension, str(form["policy"].value() or "")),
        "having": clearing.having(extension, mapping.property).count() if mapping else 0,
        "guard": fields_page.guard_words(extension, mapping.policy) if mapping else "",
        "old": str(form["old"].value() or "leave"),
        **fields_page.samples(request.tenant, str(form["field"].value() or ""), form.known),
    }


@tenant_view(role=Role.MANAGER)
@require_safe
def field_samples(request: TenantRequest) -> HttpResponse:
    """What the chosen field holds; with `read`, what each policy would leave there now. One call at most."""
    extension = chosen(request, connections_of(request))
    known = catalogue.all_fields(request.tenant)
    key = request.GET.get("field", "")
    context: dict[str, Any] = {"extension": extension, "read": "read" in request.GET}
    if extension is not None:
        context["name"] = run_history.destination_name(extension)
        if context["read"]:
            context |= fields_page.policy_table(extension, known.get(key), request.GET.get("property", ""))
        else:
            context |= fields_page.samples(request.tenant, key, known)
            mapping = extension.field_mappings.filter(pk=_number(request.GET.get("mapping"))).first()
            context["warning"] = fields_page.type_warning(known, mapping, key) if mapping else ""
    return render(request, "integrations/field_samples.html", context)


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else 0


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_view(role=Role.MANAGER)
def field_remove(request: TenantRequest, field_mapping_id: int) -> HttpResponse:
    """Take a mapping away, after asking what becomes of the values that are there."""
    mapping = mapping_of(request, field_mapping_id)
    form = OldValuesForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        undo = {"field": mapping.field, "property": mapping.property, "policy": mapping.policy}
        field_mappings.remove(FieldMapping.objects.get(pk=mapping.pk), old=form.cleaned_data["old"])
        request.session[UNDO] = {
            **undo,
            "connection": mapping.extension_id,
            "is_cleared": form.cleaned_data["old"] == "clear",
        }
        return to_fields(mapping.extension)
    context = {
        "mapping": mapping,
        "extension": mapping.extension,
        "name": run_history.destination_name(mapping.extension),
        "label": fields_page.label(mapping.field),
        "having": clearing.having(mapping.extension, mapping.property).count(),
        "guard": fields_page.guard_words(mapping.extension, mapping.policy),
        "old": "leave",
    }
    return render(request, "integrations/field_remove.html", context)


@require_POST
@tenant_view(role=Role.MANAGER)
def fields_standard(request: TenantRequest) -> HttpResponse:
    """Map what is missing of the standard set."""
    extension = chosen(request, connections_of(request))
    if extension is None:
        return redirect("fields", request.tenant.slug)
    number = field_mappings.add_standard(extension)
    follows = fields_page.what_follows(extension)
    messages.success(request, f"{number} properties are mapped. {follows}" if number else "All were mapped.")
    return to_fields(extension)


@require_POST
@tenant_view(role=Role.MANAGER)
def field_keep(request: TenantRequest) -> HttpResponse:
    """Stop the clearing of a property: what is there now stays."""
    extension = chosen(request, connections_of(request))
    name = request.POST.get("property", "")
    if extension is None:
        return redirect("fields", request.tenant.slug)
    if clearing.stop(extension, name):
        messages.success(request, f"“{name}” is not cleared any further. What is there now stays.")
    else:
        messages.warning(request, f"“{name}” was not being cleared any more.")
    return to_fields(extension)
