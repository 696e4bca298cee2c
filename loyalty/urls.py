"""Merchant pages of the programme, below the tenant's address."""

from django.urls import include, path

from loyalty.views import members

tenant_urls = [
    path("members/", members.members, name="members"),
    path("members/<int:member_id>/", members.member, name="member"),
]
urlpatterns = [path("t/<slug:slug>/", include(tenant_urls))]
