import json

import pytest


@pytest.mark.django_db
def test_it_tells_what_went(run_command):
    result = run_command("prune_history", "--json")
    assert result.status == 0
    assert json.loads(result.out)["runs"] == 0
    assert "runs: 0 deleted" in run_command("prune_history").out
