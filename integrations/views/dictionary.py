"""The data dictionary: what e-mails can show, with the tags to paste."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from integrations.gateway import registry
from integrations.services import data_dictionary, data_dictionary_csv
from integrations.views.events import connection_frame
from portal.tenancy.guards import TenantRequest, tenant_view


@require_safe
@tenant_view()
def dictionary(request: TenantRequest) -> HttpResponse:
    frame = connection_frame(request)
    extension, asked = frame["extension"], request.GET.get("q", "")[:100]
    context = {**frame, "q": asked}
    if extension:
        context["dictionary"] = data_dictionary.build(extension).narrowed(asked)
        context["tag_help"] = registry.get(extension.destination).tag_help
    return render(request, "integrations/dictionary.html", context)


@require_safe
@tenant_view()
def dictionary_csv(request: TenantRequest) -> HttpResponse:
    """The same as a file; without a connection only its head."""
    extension = connection_frame(request)["extension"]
    found = data_dictionary.build(extension) if extension else data_dictionary.Dictionary((), (), (), ())
    answer = HttpResponse(data_dictionary_csv.text(found), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{request.tenant.slug}-dictionary.csv"'
    return answer
