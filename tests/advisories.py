"""Known holes of packages, from a snapshot of the Python Packaging Advisory Database (CC BY 4.0).

python -m tests.advisories FOLDER DATE      renews it from a checkout, for the packages that are pinned here
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from packaging.version import Version

from embedded.layout import PROJECT

SNAPSHOT = Path(__file__).parent / "advisories.json"


def known_holes(pinned: Mapping[str, str]) -> list[str]:
    """The advisories that these versions of packages fall under."""
    known = json.loads(SNAPSHOT.read_text())["advisories"]
    return [
        f"{name} {version}: {advisory['id']}"
        for name, version in pinned.items()
        for advisory in known.get(_normal(name), [])
        if _is_within(Version(version), advisory["ranges"])
    ]


def _is_within(version: Version, ranges: list[tuple[str, str | None]]) -> bool:
    return any(
        Version(introduced) <= version and (fixed is None or version < Version(fixed)) for introduced, fixed in ranges
    )


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _ranges(affected: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    found = []
    for each in affected.get("ranges", []):
        if each["type"] == "ECOSYSTEM":
            introduced = "0"
            for event in each["events"]:
                if "introduced" in event:
                    introduced = str(event["introduced"])
                    found.append((introduced, None))
                elif "fixed" in event:
                    found[-1] = (introduced, str(event["fixed"]))
    return found


def main() -> None:
    """Write the snapshot."""
    folder, date = Path(sys.argv[1]), sys.argv[2]
    locks = [*PROJECT.glob("requirements*.txt"), *(PROJECT / "tests").rglob("*.txt")]
    pins = [name for lock in locks for name in re.findall(r"^([\w.-]+)\S*==", lock.read_text(), re.MULTILINE)]
    wanted = set(map(_normal, pins))
    advisories: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for path in sorted(folder.glob("vulns/*/*.yaml")):
        advisory = yaml.safe_load(path.read_text())
        for affected in advisory.get("affected", []):
            name, ranges = _normal(affected["package"]["name"]), _ranges(affected)
            if name in wanted and ranges and "withdrawn" not in advisory:
                advisories[name].append({"id": advisory["id"], "ranges": ranges})
    told = {"source": "https://github.com/pypa/advisory-database", "date": date, "advisories": advisories}
    SNAPSHOT.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
