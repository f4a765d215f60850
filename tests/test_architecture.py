"""The order of the layers, and of the capabilities inside the core. Imports for types and inside functions count too.

A package may import those that come before it, and nothing that comes after it.
"""

from __future__ import annotations

import ast
import graphlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded.layout import PROJECT

ROOT = PROJECT / "chalicelib"
LAYERS = (
    ("core", "telemetry"),
    ("storage", "outbound"),
    ("settings",),
    ("signing",),
    ("composition",),
    ("web",),
    ("rest", "oauth", "pages"),
    ("bootstrap", "jobs", "migrate", "routes"),
)
CAPABILITIES = (
    "common",
    "secrets",
    "audit",
    "access",
    "directory",
    "login",
    "tokens",
    "webhooks",
    "verification",
    "oauth",
    "authentication",
    "stores",
)
# Consent and device pages ask Authlib, whose only home is `oauth`, whether a request is one that they may show.
EXCEPTIONS = {("pages", "oauth")}


def modules() -> dict[str, Path]:
    """Every module below `chalicelib`, by its dotted name without that."""
    names = {path: ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in ROOT.rglob("*.py")}
    return {name.removesuffix("__init__").rstrip("."): path for path, name in names.items()}


MODULES = modules()


def imported(path: Path) -> Iterator[str]:
    """The modules of this project that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names):
                yield from (name.name.removeprefix("chalicelib.") for name in names if name.name in PREFIXED)
            case ast.ImportFrom(module=str(module), names=names) if module.partition(".")[0] == "chalicelib":
                package = module.removeprefix("chalicelib").removeprefix(".")
                for name in names:
                    inner = f"{package}.{name.name}".lstrip(".")
                    yield inner if inner in MODULES else package


PREFIXED = {f"chalicelib.{name}" for name in MODULES}
ARROWS = {
    name: {other for other in imported(path) if other and other != name} for name, path in MODULES.items() if name
}


def test_no_module_is_in_a_circle() -> None:
    graphlib.TopologicalSorter(ARROWS).prepare()  # raises CycleError, which names the circle


def test_no_package_is_in_a_circle() -> None:
    packages: dict[str, set[str]] = {}
    for name, others in ARROWS.items():
        own = package(name)
        packages.setdefault(own, set()).update({package(other) for other in others} - {own})
    graphlib.TopologicalSorter(packages).prepare()


def package(name: str) -> str:
    """The folder of a module; modules without one stand for themselves."""
    return name if (ROOT / name.replace(".", "/")).is_dir() else name.rpartition(".")[0] or name


@pytest.mark.parametrize("name", sorted(ARROWS))
def test_a_module_imports_only_what_is_below_it(name: str) -> None:
    height = {layer: number for number, layers in enumerate(LAYERS) for layer in layers}
    own = name.partition(".")[0]
    for other in ARROWS[name]:
        layer = other.partition(".")[0]
        if layer != own and (own, layer) not in EXCEPTIONS:
            assert height[layer] < height[own], f"{name} imports {other}"


@pytest.mark.parametrize("name", sorted(name for name in ARROWS if name.startswith("core.")))
def test_a_capability_imports_only_those_below_it(name: str) -> None:
    own = CAPABILITIES.index(name.split(".")[1])
    for other in ARROWS[name]:
        assert other == "core" or CAPABILITIES.index(other.split(".")[1]) <= own, f"{name} imports {other}"


def test_the_core_knows_neither_http_nor_a_database() -> None:
    foreign = re.compile(
        r"^\s*(?:from|import) (chalice|boto3|botocore|pynamodb|authlib|jinja2|msgspec)\b", re.MULTILINE
    )
    assert [str(path) for path in (ROOT / "core").rglob("*.py") if foreign.search(path.read_text())] == []


def test_comments_name_modules_that_there_are() -> None:
    tops = "|".join({name.partition(".")[0] for name in MODULES if name} - {"settings"})
    for path in PROJECT.rglob("chalicelib/**/*.py"):
        for named in re.findall(rf"`((?:{tops})(?:\.\w+)+)`", path.read_text()):
            module = max((name for name in MODULES if f"{named}.".startswith(f"{name}.")), key=len, default="")
            symbol = named.removeprefix(module).lstrip(".").partition(".")[0]
            assert not symbol or re.search(rf"\b{symbol}\b", MODULES[module].read_text()), (path, named)
