"""The embedded PostgreSQL: started, adopted, refused, and whole again after what may happen to it."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from chassis.embedded_pg import EmbeddedPostgres, EmbeddedPostgresError, free_port
from chassis.embedded_pg.machine import account_for, alive
from tests.support.waiting import in_one_of, wait_until

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path that an account without rights can reach; nothing runs in it afterwards."""
    with tempfile.TemporaryDirectory(prefix="fiche-pg-") as name:
        yield Path(name)


@pytest.fixture
def server(folder: Path) -> Iterator[EmbeddedPostgres]:
    made = EmbeddedPostgres(folder / "postgres")
    yield made
    made.stop()


def postmaster(server: EmbeddedPostgres) -> int:
    return int((server.data_dir / "postmaster.pid").read_text().split()[0])


def ask(server: EmbeddedPostgres, statement: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(server.database_url("postgres"))
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []
    finally:
        connection.close()


def owner(code: str, *arguments: object) -> subprocess.Popen[str]:
    """A process that owns a server: runs `code`, with `EmbeddedPostgres` and `Path` at hand."""
    head = "import os, sys\nfrom pathlib import Path\nfrom chassis.embedded_pg import EmbeddedPostgres\n"
    return subprocess.Popen(
        [sys.executable, "-c", head + code, *map(str, arguments)],
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


OWN_UNTIL_INPUT_ENDS = """
server = EmbeddedPostgres(Path(sys.argv[1]))
server.start()
print("up", flush=True)
sys.stdin.read()
server.stop()
"""


def test_what_is_committed_is_there_at_the_next_start_which_takes_little_time(server: EmbeddedPostgres) -> None:
    server.start()
    ask(server, "CREATE TABLE kept AS SELECT 42 AS n")

    def next_start() -> None:
        server.stop()
        started = time.monotonic()
        server.start()
        assert time.monotonic() - started < 1.5

    in_one_of(5, next_start)
    assert ask(server, "SELECT n FROM kept") == [(42,)]
    assert ask(server, "SHOW fsync") == [("on",)]


def test_it_listens_on_its_private_socket_only(server: EmbeddedPostgres) -> None:
    server.start()
    assert ask(server, "SHOW listen_addresses") == [("",)]
    for path in (server.data_dir, server.socket_dir):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    if os.geteuid() == 0:
        assert Path(f"/proc/{postmaster(server)}").stat().st_uid != 0
        assert server.data_dir.stat().st_uid != 0


def test_a_stop_leaves_no_process_and_a_second_one_does_nothing(server: EmbeddedPostgres) -> None:
    server.start()
    pid = postmaster(server)
    server.stop()
    assert not alive(pid)
    server.stop()


@pytest.mark.parametrize("name", ["long" * 20, "avec une virgule, et un accent é", 'guillemet "'])
def test_a_path_that_a_socket_cannot_have_gets_a_short_closed_folder(folder: Path, name: str) -> None:
    with EmbeddedPostgres(folder / name / "postgres") as server:
        assert ask(server, "SELECT 1") == [(1,)]
        assert server.socket_dir.parent != server.data_dir
        assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
        assert len(os.fsencode(server.socket_dir / ".s.PGSQL.5432")) <= 100
    assert not server.socket_dir.exists()


def test_the_short_folder_is_refused_when_it_is_not_a_folder_of_ours(folder: Path) -> None:
    server = EmbeddedPostgres(folder / ("long" * 20) / "postgres")
    server.socket_dir.symlink_to(folder)
    try:
        with pytest.raises(EmbeddedPostgresError, match="autre compte"):
            server.start()
    finally:
        server.socket_dir.unlink()


def test_variables_of_the_users_own_change_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPORT", "6543")
    monkeypatch.setenv("PGDATA", "/nowhere")
    monkeypatch.setenv("PGDATABASE", "nothing")
    with EmbeddedPostgres(folder / "postgres") as server:
        assert ask(server, "SELECT 1") == [(1,)]


def test_after_a_kill_of_the_owner_its_server_is_adopted_and_stopped_with_the_next(server: EmbeddedPostgres) -> None:
    first = owner(OWN_UNTIL_INPUT_ENDS, server.data_dir)
    assert first.stdout
    assert first.stdout.readline() == "up\n"
    pid = postmaster(server)
    ask(server, "CREATE TABLE kept AS SELECT 1 AS n")
    first.kill()
    first.communicate()
    assert alive(pid)

    server.start()
    assert postmaster(server) == pid
    assert ask(server, "SELECT n FROM kept") == [(1,)]
    server.stop()
    wait_until(lambda: not alive(pid), "the adopted server is gone")


def test_a_server_left_on_another_socket_is_replaced(folder: Path) -> None:
    first = owner(
        "EmbeddedPostgres(Path(sys.argv[1]), port=int(sys.argv[2])).start()", folder / "postgres", free_port()
    )
    _, errors = first.communicate(timeout=60)
    assert first.returncode == 0, errors
    with EmbeddedPostgres(folder / "postgres") as server:
        assert ask(server, "SHOW listen_addresses") == [("",)]


def test_after_a_kill_of_the_postmaster_what_was_committed_is_there(server: EmbeddedPostgres) -> None:
    server.start()
    first = postmaster(server)
    ask(server, "CREATE TABLE kept AS SELECT 7 AS n")
    server.kill()
    assert server.revive()
    assert postmaster(server) != first
    assert ask(server, "SELECT n FROM kept") == [(7,)]
    assert not server.revive()


def test_children_of_a_killed_postmaster_that_are_still_at_work_do_not_stand_in_the_way(
    server: EmbeddedPostgres,
) -> None:
    server.start()
    busy = psycopg2.connect(server.database_url("postgres"))
    backend = busy.info.backend_pid

    def work() -> None:
        # Pure computing: it does not look whether its postmaster lives. It ends by its connection's end, not by itself.
        with pytest.raises(psycopg2.OperationalError), busy.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM generate_series(1, 1000000000) a")

    thread = threading.Thread(target=work)
    thread.start()
    wait_until(
        lambda: ask(server, f"SELECT 1 FROM pg_stat_activity WHERE pid = {backend} AND state = 'active'"), "at work"
    )
    server.kill()
    assert alive(backend)
    started = time.monotonic()
    server.start()
    assert time.monotonic() - started < 50, "the start waited for a query of minutes"
    assert not alive(backend)
    assert ask(server, "SELECT 1") == [(1,)]
    thread.join(30)
    busy.close()


def test_a_first_start_cut_short_is_made_again_whole(server: EmbeddedPostgres) -> None:
    half = server.data_dir.with_name(".postgres.new")
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    server.start()
    assert ask(server, "SELECT 1") == [(1,)]
    assert not half.exists()


def test_a_number_left_by_a_crash_that_is_another_program_now_is_not_taken_for_the_server(
    server: EmbeddedPostgres,
) -> None:
    server.start()
    lines = (server.data_dir / "postmaster.pid").read_text().splitlines()
    server.stop()
    code = "import os, sys; os.setuid(int(sys.argv[1])); print('up', flush=True); sys.stdin.read()"
    other = owner(code, server.data_dir.stat().st_uid)
    try:
        assert other.stdout
        assert other.stdout.readline() == "up\n"
        (server.data_dir / "postmaster.pid").write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
        server.start()
        assert ask(server, "SELECT 1") == [(1,)]
        server.stop()
        assert other.poll() is None
    finally:
        other.communicate()


def test_a_folder_that_holds_something_else_is_left_alone(server: EmbeddedPostgres) -> None:
    server.data_dir.mkdir(parents=True)
    (server.data_dir / "these.odt").write_text("years of work")
    with pytest.raises(EmbeddedPostgresError, match="autre chose"):
        server.start()
    assert (server.data_dir / "these.odt").read_text() == "years of work"


def test_data_of_another_major_version_are_told_apart_in_one_line(server: EmbeddedPostgres) -> None:
    server.start()
    server.stop()
    (server.data_dir / "PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedPostgresError) as caught:
        server.start()
    assert "PostgreSQL 17" in str(caught.value)
    assert "18" in str(caught.value)
    assert "\n" not in str(caught.value)
    (server.data_dir / "PG_VERSION").write_text("18\n")
    server.start()
    assert ask(server, "SELECT 1") == [(1,)]


def test_a_second_product_on_the_folder_is_refused_and_the_first_goes_on(server: EmbeddedPostgres) -> None:
    server.start()
    second = EmbeddedPostgres(server.data_dir)
    with pytest.raises(EmbeddedPostgresError, match="Un autre Fiche"):
        second.start()
    second.stop()
    assert ask(server, "SELECT 1") == [(1,)]


def test_a_server_that_cannot_start_says_why_in_one_line(server: EmbeddedPostgres) -> None:
    server.start()
    server.stop()
    with (server.data_dir / "postgresql.conf").open("a") as configuration:
        configuration.write("archive_mode = nonsense\n")
    started = time.monotonic()
    with pytest.raises(EmbeddedPostgresError) as caught:
        server.start()
    assert time.monotonic() - started < 10
    assert "\n" not in str(caught.value)
    assert "configuration file" in str(caught.value)


def test_it_runs_in_a_process_that_eventlet_has_patched(folder: Path) -> None:
    code = """
import eventlet
with EmbeddedPostgres(Path(sys.argv[1])) as server:
    import psycopg2
    holder, waiter = (psycopg2.connect(server.database_url("postgres")).cursor() for _ in "ab")
    holder.execute("SELECT pg_advisory_lock(1)")
    def let_go():
        for _ in range(6):
            eventlet.sleep(0.01)
        holder.execute("SELECT pg_advisory_unlock(1)")
    eventlet.spawn(let_go)
    waiter.execute("SET statement_timeout = '30s'")  # a hub that stands still lets nobody go
    waiter.execute("SELECT pg_advisory_lock(1)")
"""
    head = "import warnings\nwarnings.simplefilter('ignore')\nimport eventlet\neventlet.monkey_patch()\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{head}import sys\nfrom pathlib import Path\n"
         f"from chassis.embedded_pg import EmbeddedPostgres\n{code}", str(folder / "postgres")],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="the whole suite runs as a plain user already")
def test_a_plain_user_runs_it_too_and_root_goes_on_with_his_data_under_his_account(folder: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, -1)
    code = """
from chassis.embedded_pg import binaries
from chassis.embedded_pg.machine import open_the_way
open_the_way(binaries() / "postgres")
os.setgid(int(sys.argv[3])); os.setuid(int(sys.argv[2]))
with EmbeddedPostgres(Path(sys.argv[1])) as server:
    import psycopg2
    assert psycopg2.connect(server.database_url("postgres"))
    assert server.data_dir.stat().st_uid == os.getuid()
"""
    plain = owner(code, folder / "postgres", nobody.pw_uid, nobody.pw_gid)
    _, errors = plain.communicate(timeout=60)
    assert plain.returncode == 0, errors
    account = account_for(folder / "postgres")
    assert account
    assert account.pw_uid == nobody.pw_uid
    with EmbeddedPostgres(folder / "postgres") as server:
        assert ask(server, "SELECT 1") == [(1,)]
