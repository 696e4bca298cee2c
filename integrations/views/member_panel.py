"""What was sent of one member: a part of the member's page that loyalty does not know of."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from integrations.models import SentProfile
from integrations.services import addresses, run_history, run_page
from loyalty.models import Member
from portal.tenancy.guards import TenantRequest, tenant_view


@require_safe
@tenant_view()
def member_panel(request: TenantRequest, member_id: int) -> HttpResponse:
    member = get_object_or_404(Member.objects.only("pk"), tenant=request.tenant, pk=member_id)
    sent = (
        SentProfile.objects.filter(member=member)
        .select_related("extension")
        .defer("extension__secret", "extension__refresh_token", "theirs")
    )
    profiles = [
        (
            profile,
            run_history.destination_name(profile.extension),
            addresses.profile(profile.extension, profile.remote_id),
        )
        for profile in sent
    ]
    name = profiles[0][1] if profiles else "the other side"
    context = {
        "profiles": profiles,
        "rows": run_page.readable(run_history.rows_of_member(member.pk), name),
        "name": name,
        "member": member,
    }
    return render(request, "integrations/member_panel.html", context)
