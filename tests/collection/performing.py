"""Runs the modules' own programs without `ansible-playbook`: in this process, or in many that begin at the same moment.

Imports little, since many processes are what it is for.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import multiprocessing
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from embedded import playbook

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.synchronize import Barrier

sys.path.insert(0, str(playbook.collections()))


def program(module: str) -> Any:
    """The module, whose `main` is its program."""
    return importlib.import_module(f"ansible_collections.keyturn.hub.plugins.modules.{module.rpartition('.')[2]}")


def returned(module: str, options: dict[str, Any]) -> dict[str, Any]:
    """What a module prints when it has these options."""
    from ansible.module_utils import _internal
    from ansible.module_utils.testing import patch_module_args

    run = program(module).main
    on_target = patch.object(_internal, "is_controller", False)  # also where a test has loaded a controller's plugin
    with on_target, patch_module_args(options), contextlib.redirect_stdout(io.StringIO()) as printed:
        try:
            run()
        except SystemExit:
            result: dict[str, Any] = json.loads(printed.getvalue())
            return result
    raise AssertionError("A module ends by SystemExit.")


def returned_at_once(hosts: int, module: str, options: dict[str, Any]) -> list[dict[str, Any]]:
    """What the same task returns on many hosts that begin it at the same moment: each in a process of its own."""
    finished = subprocess.run(
        [sys.executable, "-m", __name__],
        input=json.dumps([hosts, module, options]),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=120,
    )
    results: list[dict[str, Any]] = json.loads(finished.stdout)
    return results


def _one_of_many(begin: Barrier, told: Connection, module: str, options: dict[str, Any]) -> None:
    begin.wait()
    told.send(returned(module, options))


def main() -> None:
    """Reads how many, which module, and its options; prints the results. A process that has imported everything is
    forked, in which nothing else runs."""
    hosts, module, options = json.load(sys.stdin)
    program(module)
    forking = multiprocessing.get_context("fork")
    begin, ends = forking.Barrier(hosts), [forking.Pipe(duplex=False) for _ in range(hosts)]
    for _, told in ends:
        forking.Process(target=_one_of_many, args=(begin, told, module, options), daemon=True).start()
        told.close()  # so that the end of the process is the end of what can be read
    print(json.dumps([heard.recv() for heard, _ in ends]))


if __name__ == "__main__":
    main()
