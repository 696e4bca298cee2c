import pytest

from portal.launcher import Launcher, Options
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def welcome(*, demo: bool) -> str:
    return Launcher(Options(demo=demo, port=8000, sandbox_port=8400), print)._welcome()


def test_a_portal_without_people_says_how_to_make_one():
    assert "Nobody can log in yet: run .venv/bin/python manage.py createsuperuser" in welcome(demo=False)
    make_user()
    assert "Nobody can log in yet" not in welcome(demo=False)


def test_the_demo_names_everybody_who_may_log_in():
    shown = welcome(demo=True)
    assert "admin@demo.example" in shown and "Nobody can log in yet" not in shown
