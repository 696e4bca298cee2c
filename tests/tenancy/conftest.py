import pytest
from django.contrib.auth.models import Group

from portal.tenancy.models import User
from tests.factories import make_user


def person_of(group: str) -> User:
    user = make_user(is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    return user


@pytest.fixture
def staff(db):
    return person_of("Staff")


@pytest.fixture
def support(db):
    return person_of("Support")
