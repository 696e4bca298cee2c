"""Merchant pages of the programme, below the tenant's address."""

from django.urls import include, path

from loyalty.views import audience_builder, audience_people, audience_why, members

tenant_urls = [
    path("members/", members.members, name="members"),
    path("members.csv", members.members_file, name="members_csv"),
    path("members/<int:member_id>/", members.member, name="member"),
    path("audiences/new/", audience_builder.new, name="audience_new"),
    path("audiences/preview/", audience_builder.preview, name="audience_preview"),
    path("audiences/<int:audience_id>/edit/", audience_builder.edit, name="audience_edit"),
    path("audiences/<int:audience_id>/people/", audience_people.people, name="audience_people"),
    path("audiences/<int:audience_id>/people/change/", audience_people.change, name="audience_people_change"),
    path("audiences/<int:audience_id>/why/", audience_why.why, name="audience_why"),
]
urlpatterns = [path("t/<slug:slug>/", include(tenant_urls))]
