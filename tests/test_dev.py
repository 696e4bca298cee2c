"""dev.py reads on an old Python, up to the sentence that says so."""

import ast
import subprocess
import sys

from django.conf import settings

DEV = settings.BASE_DIR / "dev.py"


def test_an_old_python_can_parse_it() -> None:
    ast.parse(DEV.read_text(), feature_version=(3, 6))


def test_an_old_python_without_a_newer_beside_it_is_told_what_to_do() -> None:
    pretend = f"import sys; sys.version_info = (3, 9, 2); sys.argv = [{str(DEV)!r}, 'run']; "
    done = subprocess.run(
        [sys.executable, "-c", pretend + f"exec(compile(open({str(DEV)!r}).read(), 'dev.py', 'exec'))"],
        env={"PATH": "/nowhere"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("This needs Python 3.11 or newer; python3 here is 3.9")


def test_it_explains_itself() -> None:
    done = subprocess.run([sys.executable, DEV], capture_output=True, text=True)
    assert done.returncode == 0
    assert "start everything on this machine" in done.stdout
