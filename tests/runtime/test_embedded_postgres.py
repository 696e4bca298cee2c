import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import environ
import psycopg
import pytest

from portal.runtime import embedded_postgres as postgres
from portal.runtime import postgres_place

pytestmark = pytest.mark.slow


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    # pytest keeps its folders from other users, so as root the server would move to its shelter.
    folder = Path("/tmp") / f"lp-test-{os.getpid()}-{time.monotonic_ns()}"
    folder.mkdir(mode=0o755)
    yield folder
    postgres.stop(postgres.start(folder))
    import shutil

    shutil.rmtree(folder)
    shutil.rmtree(postgres.socket_folder(folder), ignore_errors=True)


def ask(data_dir: Path, statement: str) -> str:
    with psycopg.connect(
        host=str(postgres.socket_folder(data_dir)), user="portal", dbname="portal"
    ) as connection:
        return str(connection.execute(statement).fetchone()[0])


def test_its_address_survives_the_settings_parser(tmp_path: Path) -> None:
    deep = tmp_path / ("deep" * 40)
    config = environ.Env.db_url_config(postgres.url(deep))
    assert config["HOST"] == str(postgres.socket_folder(deep))
    assert len(config["HOST"] + "/.s.PGSQL.5432") < 107
    assert config["NAME"] == config["USER"] == "portal"
    assert not deep.exists()


def test_serves_utf8_over_a_private_socket_only(data_dir: Path) -> None:
    with postgres.running(data_dir) as server:
        assert server.started
        assert ask(data_dir, "SHOW server_encoding") == "UTF8"
        assert ask(data_dir, "SHOW listen_addresses") == ""
        assert ask(data_dir, "SHOW fsync") == "on"
        assert postgres.socket_folder(data_dir).stat().st_mode & 0o777 == 0o700
        assert server.place.cluster.stat().st_mode & 0o777 == 0o700
    assert not postgres.is_ready(server)


def test_the_last_user_out_stops_it(data_dir: Path) -> None:
    first, second = postgres.start(data_dir), postgres.start(data_dir)
    assert (first.started, second.started) == (True, False)
    assert postgres.stop(first) is False
    assert ask(data_dir, "SELECT 1") == "1"
    assert postgres.stop(second) is True


def test_attaches_to_a_server_left_behind_and_then_stops_it(data_dir: Path) -> None:
    left = postgres.start(data_dir)
    left.in_use.close()  # what the kernel does to a killed process
    heir = postgres.start(data_dir)
    assert not heir.started
    assert heir.pid == left.pid
    assert postgres.stop(heir) is True


def test_comes_back_with_its_data_after_kill_9(data_dir: Path) -> None:
    server = postgres.start(data_dir)
    with psycopg.connect(
        host=str(postgres.socket_folder(data_dir)), user="portal", dbname="portal"
    ) as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept VALUES (42)")
    os.kill(server.pid, signal.SIGKILL)
    while postgres.is_ready(server):
        time.sleep(0.02)
    again = postgres.restart_if_dead(server)
    assert again.started
    assert ask(data_dir, "SELECT n FROM kept") == "42"
    assert postgres.stop(again)


def test_a_server_whose_data_folder_was_deleted_is_sent_away(data_dir: Path) -> None:
    import shutil

    left = postgres.start(data_dir)
    left.in_use.close()
    data_dir.rename(moved := data_dir.with_name(data_dir.name + "-moved"))
    data_dir.mkdir()
    with postgres.running(data_dir) as fresh:
        assert fresh.pid != left.pid
        assert ask(data_dir, "SELECT 1") == "1"
    shutil.rmtree(moved)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends the server an account")
def test_root_lends_it_an_account_without_touching_modes(data_dir: Path) -> None:
    with postgres.running(data_dir) as server:
        assert server.place.account is not None
        assert Path(f"/proc/{server.pid}").stat().st_uid == server.place.account.uid != 0
    assert data_dir.stat().st_mode & 0o777 == 0o755


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends the server an account")
def test_where_the_account_cannot_reach_the_data_is_kept_in_the_shelter(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    shelter = data_dir / "shelter"
    monkeypatch.setattr(postgres_place, "SHELTER", shelter)
    closed = data_dir / "closed"
    closed.mkdir(mode=0o700)
    for started in range(2):
        with postgres.running(closed) as server:
            assert server.place.cluster.is_relative_to(shelter)
            assert server.place.cluster == postgres_place.find(closed).cluster, started
    assert f"cannot reach {closed}" in caplog.text
    assert closed.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends the server an account")
def test_where_the_account_cannot_reach_the_programs_they_are_copied(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_place, "SHELTER", data_dir / "shelter")
    closed = data_dir / "closed"
    closed.mkdir(mode=0o700)
    programs = postgres_place._wheel_programs()
    package = closed / "site-packages" / programs.parent.name
    package.mkdir(parents=True)
    (package / programs.name).symlink_to(programs)
    (closed / "site-packages" / f"{package.name}.libs").symlink_to(f"{programs.parent}.libs")
    monkeypatch.setattr(postgres_place, "_wheel_programs", lambda: package / programs.name)
    monkeypatch.setattr(postgres_place, "can_reach", lambda path, account: "closed" not in str(path))
    with postgres.running(data_dir) as server:
        assert server.place.programs.is_relative_to(data_dir / "shelter")
        assert ask(data_dir, "SELECT 1") == "1"


def test_a_socket_folder_of_somebody_else_is_refused(data_dir: Path) -> None:
    postgres.socket_folder(data_dir).mkdir(mode=0o755)
    postgres.socket_folder(data_dir).chmod(0o777)
    with pytest.raises(postgres.PostgresError, match="belongs to somebody else"):
        postgres.start(data_dir)
    postgres.socket_folder(data_dir).rmdir()
