"""Merchant pages of the programme, below the tenant's address."""

from django.urls import include, path

from loyalty.views import members, to_come

tenant_urls = [
    path("members/", members.members, name="members"),
    path("members/<int:member_id>/", members.member, name="member"),
    path("audiences/new/", to_come.page, name="audience_new"),
    path("audiences/preview/", to_come.page, name="audience_preview"),
    path("audiences/<int:audience_id>/edit/", to_come.page, name="audience_edit"),
    path("audiences/<int:audience_id>/people/", to_come.page, name="audience_people"),
    path("audiences/<int:audience_id>/why/", to_come.page, name="audience_why"),
]
urlpatterns = [path("t/<slug:slug>/", include(tenant_urls))]
