"""An S3 server on a small disk of its own, which can be filled."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.support.servers import S3Server

#: Bytes of the disk: enough for a run, little enough to fill at once.
SIZE = 400 * 1024 * 1024


class SmallDisk(S3Server):
    """SeaweedFS over a file system in memory, mounted for its process alone (which root, or a user's own namespace of
    mounts, may do); `small` is false where neither is allowed, and the disk is then the machine's."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.small = self._container is None and self._may_mount()

    @staticmethod
    def _may_mount() -> bool:
        command = ["unshare", *_namespace(), "mount", "-t", "tmpfs", "none", "/mnt"]
        return shutil.which("unshare") is not None and subprocess.run(command, capture_output=True).returncode == 0

    def command(self, weed: str) -> list[str]:
        """The server's command, behind the mount."""
        command = super().command(weed)
        if not self.small:
            return command
        mount = f'mount -t tmpfs -o size={SIZE} none "$0" && cp "$1" "$0/s3.json" && exec "${{@:2}}"'
        kept = self.folder.parent / "s3.json"
        shutil.copy(self.folder / "s3.json", kept)
        return ["unshare", *_namespace(), "bash", "-c", mount, str(self.folder), str(kept), *command]

    def fill(self) -> None:
        """Leaves no byte free."""
        assert self._process is not None
        filler = Path(f"/proc/{self._process.pid}/root{self.folder}/filler")
        with filler.open("wb", buffering=0) as file:
            while True:
                try:
                    file.write(bytes(1 << 16))
                except OSError:
                    try:
                        file.write(bytes(512))
                    except OSError:
                        return

    def free(self) -> None:
        """Gives the bytes back."""
        assert self._process is not None
        Path(f"/proc/{self._process.pid}/root{self.folder}/filler").unlink(missing_ok=True)


def _namespace() -> list[str]:
    return ["-m"] if os.geteuid() == 0 else ["-rm"]
