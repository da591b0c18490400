"""A service starts quickly: the garbage collector does not look through what is being imported."""

import subprocess
import sys

from shared.events.topics import SERVICES

_MOST = 20
"""Collections of the youngest objects while Python itself starts, and a few more."""


def test_nothing_is_collected_while_a_service_is_imported() -> None:
    modules = ", ".join(f"services.{service}.__main__" for service in SERVICES)
    code = f"import gc, {modules}; print(gc.get_stats()[0]['collections']); assert gc.isenabled()"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(told.stdout) <= _MOST
