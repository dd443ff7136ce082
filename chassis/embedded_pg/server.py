"""The server's life: made, started, adopted, stopped."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any
from urllib.parse import quote

import psycopg2

from chassis.embedded_pg.machine import (
    SOCKET_PORT,
    EmbeddedPostgresError,
    account_for,
    alive,
    binaries,
    closed_folder,
    open_the_way,
    orphans,
    serves,
    socket_folder,
    until,
)

_START_S = 60.0
_LOG_MAX = 5 * 1024 * 1024
_OPTIONS = {
    "listen_addresses": "",
    "port": str(SOCKET_PORT),
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    # One machine, nobody to replicate to. What is acknowledged is on the disk: fsync stays on.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # Small data: a parallel plan would cost processes, and shared memory that containers are short of.
    "max_parallel_workers_per_gather": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
    # A question whose asker was killed is given up, so that its locks go.
    "client_connection_check_interval": "2s",
}


class EmbeddedPostgres:
    """A private server on `data_dir`, reached by a Unix socket (or, for tests, by a port of the loopback address).

    The socket is in `data_dir/run`, or in a folder of mode 0700 with a short path where its own would be too long.
    One owner at a time holds `<data_dir>.lock`. An owner that was killed leaves its server running; the next adopts it.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int | None = None,
        bin_dir: Path | None = None,
        options: Mapping[str, str] | None = None,
    ) -> None:
        self.data_dir = data_dir.resolve()
        self.bin_dir = bin_dir or binaries()
        self.port = port
        self._options = {**_OPTIONS, **(options or {})}
        self.socket_dir = socket_folder(self.data_dir, port or SOCKET_PORT)
        self._account = account_for(self.data_dir)
        self._lock: IO[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    # --- life -------------------------------------------------------------------------------------------------

    def start(self) -> str:
        """Starts (or adopts) the server and waits until it takes connections. Asked twice, it changes nothing.

        Returns the base address `postgresql://fiche@/fiche?host=<socket folder>&port=5432` (or with host and port);
        no database of that name exists, see `Settings.service_database_url`. Raises `EmbeddedPostgresError`.
        """
        try:
            self.data_dir.parent.mkdir(parents=True, exist_ok=True)
            self._take_lock()
            try:
                self._start()
            except BaseException:
                self.stop()
                raise
        except OSError as error:
            raise EmbeddedPostgresError(f"{error.filename or self.data_dir} : {error.strerror}") from error
        return self.url

    def stop(self, *, mode: str = "fast") -> None:
        """Stops the server and waits until it is gone. Does nothing to a server that another owner holds."""
        if self._lock is None:
            return
        if self._pid() is not None:
            self._pg_ctl_stop(mode)
        self._reap()
        if self.socket_dir.parent != self.data_dir:
            with contextlib.suppress(OSError):
                self.socket_dir.rmdir()
        self._lock.close()
        self._lock = None

    def revive(self) -> bool:
        """Starts the server again if it has died meanwhile (killed for lack of memory, say); True if it had to.

        Cheap enough to ask every second. Raises `EmbeddedPostgresError`.
        """
        if self._lock is None or self._pid() is not None:
            return False
        self._reap()
        self.start()
        return True

    def kill(self) -> None:
        """`kill -9` of the postmaster, as a lack of memory would; for tests of recovery."""
        pid = self._pid()
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            self._reap()
            until(lambda: not alive(pid), 10, "PostgreSQL ne s’arrête pas")

    def __enter__(self) -> EmbeddedPostgres:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Base address of the server."""
        return self.database_url("fiche")

    def database_url(self, database: str) -> str:
        """Address of one database; `postgres` is always there."""
        if self.port:
            return f"postgresql://fiche@127.0.0.1:{self.port}/{database}"
        return f"postgresql://fiche@/{database}?host={quote(str(self.socket_dir), safe='')}&port={SOCKET_PORT}"

    # --- lock -------------------------------------------------------------------------------------

    def _take_lock(self) -> None:
        if self._lock is not None:
            return
        handle = self.data_dir.with_name(f"{self.data_dir.name}.lock").open("a+")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            handle.close()
            raise EmbeddedPostgresError(
                f"Un autre Fiche utilise déjà {self.data_dir.parent}. Arrêtez-le, "
                "ou choisissez un autre FICHE_DATA_DIR."
            ) from None
        self._lock = handle

    # --- server -----------------------------------------------------------------------------------------------

    def _start(self) -> None:
        if self._account is not None:
            open_the_way(self.data_dir)
            open_the_way(self.bin_dir / "postgres")
        if not (self.data_dir / "PG_VERSION").exists():
            self._initdb()
        closed_folder(self.data_dir, self._account)
        self._check_version()
        self._leave_stranger()
        deadline = time.monotonic() + _START_S
        while not self._answers():
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(f"PostgreSQL ne démarre pas\u202f; voyez {self.data_dir / 'server.log'}")
            if self._pid() is None and (self._process is None or self._ended()):
                self._launch()
            time.sleep(0.02)

    def _environment(self) -> dict[str, Any]:
        """How every program of PostgreSQL is run: as the account, with nothing of the user's PG* variables."""
        options: dict[str, Any] = {
            "cwd": "/",
            "env": {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            "stdin": subprocess.DEVNULL,
        }
        if self._account is not None:
            options |= {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": []}
        return options

    def _run(self, program: str, *args: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [str(self.bin_dir / program), *args], capture_output=True, text=True, check=False, **self._environment()
        )
        if check and done.returncode != 0:
            lines = (done.stderr or done.stdout).strip().splitlines() or ["?"]
            raise EmbeddedPostgresError(f"PostgreSQL ({program}) a échoué\u202f: {lines[-1]}")
        return done

    def _initdb(self) -> None:
        """Makes the data beside their place and moves them there whole: a first start cut short leaves no half."""
        if self.data_dir.exists() and any(self.data_dir.iterdir()):
            raise EmbeddedPostgresError(f"{self.data_dir} contient autre chose que des données de PostgreSQL.")
        new = self.data_dir.with_name(f".{self.data_dir.name}.new")
        if new.exists():
            shutil.rmtree(new)
        closed_folder(new, self._account)
        options = ("-U", "fiche", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-instructions")
        self._run("initdb", "-D", str(new), *options)
        new.rename(self.data_dir)
        # initdb has written its files to the disk; their new name must be there too.
        parent = os.open(self.data_dir.parent, os.O_RDONLY)
        try:
            os.fsync(parent)
        finally:
            os.close(parent)

    def _check_version(self) -> None:
        ours = (self.data_dir / "PG_VERSION").read_text().strip()
        wheel = self._run("postgres", "--version").stdout.split()[-1].split(".")[0]
        if ours != wheel:
            raise EmbeddedPostgresError(
                f"Les données de {self.data_dir} sont de PostgreSQL {ours}, le programme installé est la version "
                f"{wheel}\u202f: sauvegardez avec l’ancienne version, ou choisissez un autre FICHE_DATA_DIR."
            )

    def _pid_file(self) -> list[str]:
        """Lines of `postmaster.pid`: process, data folder, start time, port, socket folder, address, memory, state."""
        try:
            return (self.data_dir / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []

    def _pid(self) -> int | None:
        """Process of the running postmaster of this data folder."""
        lines = self._pid_file()
        if not lines or not lines[0].strip().isdigit():
            return None
        pid = int(lines[0])
        return pid if alive(pid) and serves(pid, self.data_dir) else None

    def _leave_stranger(self) -> None:
        """Stops a server left behind that listens elsewhere than we want; one that listens here is adopted."""
        if self._pid() is None:
            # A number that now belongs to another program of ours would keep PostgreSQL from starting. The lock is
            # ours, and the folder's shared memory still tells a server that lives.
            (self.data_dir / "postmaster.pid").unlink(missing_ok=True)
            return
        lines = [*(line.strip() for line in self._pid_file()), *[""] * 5]
        here = lines[3] == str(self.port or SOCKET_PORT) and lines[4] == str(self.socket_dir)
        if lines[3] and not here:
            self._pg_ctl_stop("fast")

    def _pg_ctl_stop(self, mode: str) -> None:
        done = self._run("pg_ctl", "stop", "-D", str(self.data_dir), "-m", mode, "-w", "-t", "30", check=False)
        if done.returncode != 0 and self._pid() is not None:
            self._run("pg_ctl", "stop", "-D", str(self.data_dir), "-m", "immediate", "-w", "-t", "30", check=False)

    def _launch(self) -> None:
        closed_folder(self.socket_dir, self._account)
        options = dict(self._options, unix_socket_directories=f'"{self.socket_dir}"')
        if self.port:
            options |= {"listen_addresses": "127.0.0.1", "port": str(self.port)}
        log = self.data_dir / "server.log"
        if log.exists() and log.stat().st_size > _LOG_MAX:
            log.rename(log.with_suffix(".log.1"))
        command = [str(self.bin_dir / "postgres"), "-D", str(self.data_dir)]
        command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with log.open("ab") as out:
            # Its own session: Ctrl-C in the terminal reaches the product, which stops the server itself.
            self._process = subprocess.Popen(
                command, stdout=out, stderr=out, start_new_session=True, **self._environment()
            )

    def _ended(self) -> bool:
        """Whether our own child has ended, which may be tried again. Raises where it would end the same way."""
        assert self._process is not None
        if self._process.poll() is None:
            return False
        self._process = None
        lines = (self.data_dir / "server.log").read_text(errors="replace").splitlines()[-20:]
        fatal = next((line for line in reversed(lines) if "FATAL:" in line), "")
        if "lock file" in fatal:
            return True  # a server that is just starting or stopping: asked again
        if "shared memory block" in fatal:
            # Children of a killed postmaster that compute do not see its end. What they had not committed is lost
            # with it anyway, and the next start mends the data as after a power cut.
            for pid in orphans(self.data_dir):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.2)
            return True
        raise EmbeddedPostgresError(
            f"PostgreSQL ne démarre pas\u202f: {fatal.partition('FATAL:')[2].strip() or self.data_dir / 'server.log'}"
        )

    def _reap(self) -> None:
        """Takes the exit status of our own child, so that no zombie is left."""
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
            self._process = None

    def _answers(self) -> bool:
        if self._pid() is None:
            return False
        try:
            psycopg2.connect(self.database_url("postgres"), connect_timeout=2).close()
        except psycopg2.OperationalError:
            return False
        return True
