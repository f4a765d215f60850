"""Plants faults in the product, one at a time, and says which of them the tests find.

`python -m tests.mutations plant FAULTS.json` chooses fifty: in rules, storage, the REST API and the pages.
`python -m tests.mutations find FAULTS.json [NUMBER …]` runs tests for each, or for those with these numbers, until one
fails. Run it on a copy whose tests pass: it changes the sources while it works.
"""

from __future__ import annotations

import ast
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

PLACES = {"chalicelib/core": 20, "chalicelib/storage": 12, "chalicelib/rest": 9, "chalicelib/pages": 9}
SEED = 20
SECONDS = 1200  # that tests may take: a fault can make one wait for ever, and then it is found too
OPPOSITES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}


@dataclass(frozen=True)
class Fault:
    """One change of one expression or statement."""

    path: str
    line: int  # from 1
    column: int  # in bytes of UTF-8, from 0
    before: str
    after: str

    def planted(self, source: str) -> str:
        """The source with the fault."""
        lines = source.encode().splitlines(keepends=True)
        place, before = sum(map(len, lines[: self.line - 1])) + self.column, self.before.encode()
        whole = b"".join(lines)
        assert whole[place:].startswith(before)
        return (whole[:place] + self.after.encode() + whole[place + len(before) :]).decode()


def changed(node: ast.AST) -> ast.AST | None:
    """A wrong version of it, if there is one."""
    match node:
        case ast.Compare(left, [operator], [right]) if type(operator) in OPPOSITES:
            return ast.Compare(left, [OPPOSITES[type(operator)]()], [right])
        case ast.BoolOp(ast.And(), values):
            return ast.BoolOp(ast.Or(), values)
        case ast.BoolOp(ast.Or(), values):
            return ast.BoolOp(ast.And(), values)
        case ast.UnaryOp(ast.Not(), operand):
            return operand
        case ast.IfExp(test, body, orelse):
            return ast.IfExp(test, orelse, body)
        case ast.Raise():
            return ast.Pass()
        case ast.Expr(ast.Call()):
            return ast.Pass()
        case ast.Constant(bool() as value):
            return ast.Constant(not value)
        case ast.Constant(int() as value):
            return ast.Constant(value + 1)
        case _:
            return None


def faults_in(path: Path) -> Iterator[Fault]:
    """Every fault that could be planted inside the functions of a module."""
    source = path.read_text()
    functions = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef))
    for statement in (statement for function in functions for statement in function.body):
        for node in ast.walk(statement):
            before, wrong = ast.get_source_segment(source, node) or "", changed(node)
            if wrong is not None and before:
                after = ast.unparse(ast.fix_missing_locations(wrong))
                if isinstance(node, ast.expr) and not isinstance(node, ast.Constant):
                    after = f"({after})"
                fault = Fault(str(path), node.lineno, node.col_offset, before, after)  # type: ignore[attr-defined]
                if compiles(fault.planted(source)):
                    yield fault


def compiles(source: str) -> bool:
    """Whether Python takes it: a fault must be one of sense, not of form."""
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


def planted() -> list[Fault]:
    """A choice of them, the same each time."""
    dice, chosen = random.Random(SEED), []
    for folder, number in PLACES.items():
        possible = sorted(
            {fault for path in sorted(Path(folder).rglob("*.py")) for fault in faults_in(path)},
            key=lambda fault: (fault.path, fault.line, fault.column, fault.before),
        )
        chosen += dice.sample(possible, number)
    return chosen


def stages(fault: Fault) -> Iterator[list[str]]:
    """Which tests to run: those named like the module, then those of its layer. The rest of the gate is left out: what
    only it finds counts as not found.
    """
    path = Path(fault.path)
    named, layer = path.stem.rstrip("s"), path.parts[1]
    folders = dict.fromkeys((layer, "core", "storage", "rest", "oauth"))
    near = [str(test) for folder in folders for test in Path("tests", folder).rglob("test_*.py") if named in test.stem]
    if near:
        yield near
    yield [f"tests/{layer}"]


def is_found(fault: Fault) -> str:
    """By which test, or nothing."""
    path = Path(fault.path)
    source = path.read_text()
    path.write_text(fault.planted(source))
    try:
        return next(filter(None, map(failing, stages(fault))), "")
    finally:
        path.write_text(source)


def failing(tests: list[str]) -> str:
    """The first test that fails, or nothing."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return f"{tests[0]} …: never ends"
    if done.returncode == pytest.ExitCode.OK:
        return ""
    if done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED:
        raise RuntimeError(done.stdout + done.stderr)
    return next(
        (line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))), "they do not start"
    )


def main(find_or_plant: str, file: str, *only: str) -> None:
    """Write which faults there are, or which are found."""
    if find_or_plant == "plant":
        Path(file).write_text(json.dumps([asdict(fault) for fault in planted()], indent=1))
        return
    faults = [Fault(**each) for each in json.loads(Path(file).read_text())]
    numbers = [int(number) for number in only] or range(len(faults))
    found = 0
    for number in numbers:
        fault = faults[number]
        began, by = time.monotonic(), is_found(fault)
        found += bool(by)
        print(f"{number} {fault.path}:{fault.line} {fault.before!r} → {fault.after!r}", flush=True)
        print(f"   {time.monotonic() - began:.0f} s: {by or 'NOT FOUND'}", flush=True)
    print(f"found {found} of {len(numbers)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
