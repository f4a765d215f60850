"""Whatever is sent to a page, it is answered by a page, and Keyturn does not fail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.pages.routes import ROUTES
from embedded.layout import PROJECT
from tests.conftest import ADDRESS, Install, Scene, set_scene
from tests.oauth.calling import Forms, call
from tests.people import Person, person
from tests.rest.calling import Answer

SOURCES = (PROJECT / "chalicelib" / "pages").rglob("*.py")
SHOWN = sorted(path for path, views in ROUTES.items() if "GET" in views and path != "/assets/{name}")
SENT = sorted(path for path, views in ROUTES.items() if "POST" in views and path != "/logout")
# All parameters that a page asks for by name, and those that it takes from a list of names.
ASKED = r'(?:value|values|asked|_day|_lines)\((?:message, )?"(\w+)"'
NAMED = {"login", "name", "email", "description", "owner", "from", "to", "actor", "target", "done"}
FIELDS = sorted({*re.findall(ASKED, "".join(map(Path.read_text, SOURCES))), *NAMED} - {"proof"})
TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["0", "1", "-1", "9" * 30, "{}", "[]", '{"id": 1}', "true", "keyturn", "me", "*", "7 days", "%", "\0"]
    ),
)
PAIRS = st.lists(st.tuples(st.sampled_from(FIELDS), TEXTS), max_size=6)


@pytest.fixture(scope="module")
def jo(install: Install) -> Iterator[Person]:
    """An administrator, in an installation of their own, where much may go wrong."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        for product in install(monkeypatch):
            scene = set_scene(product)
            jo = person(scene)
            product.roles.grant(scene.caller(), jo.user.id, "system-admin")
            yield jo


@pytest.fixture(scope="module")
def cookie(jo: Person) -> str:
    """A login of the administrator."""
    return f"__Host-keyturn={jo.attempt().secret}"


@pytest.fixture(scope="module")
def proof(cookie: str) -> str:
    """That a form comes from a page of this login; it is good as long as the login is."""
    page = call("GET", "/services", {"cookie": cookie})
    return Forms(page.text.partition('role="search"')[0]).fields["proof"]


def places(scene: Scene) -> dict[str, list[str]]:
    """What may stand in a path: things that are there, and things that are not."""
    return {
        "user": [scene.bot.id, "admin", "nobody", "a b", "ü", "..", "%"],
        "token": [scene.token.token.id, "nothing", "%2F"],
        "service": [scene.ci.service.id, "0-0-0-0-0", "nothing"],
        "role": ["system-admin", "nothing"],
    }


def visit(route: str, method: str, chosen: dict[str, str], headers: dict[str, str], query: str, form: object) -> Answer:
    names = re.findall(r"\{(\w+)\}", route)
    parameters = {name: chosen[name] for name in names}
    return call(method, f"{route}{query}", headers, form, (route, parameters))  # type: ignore[arg-type]


@pytest.mark.parametrize("route", SHOWN)
@settings(max_examples=8)
@given(data=st.data())
def test_a_page_that_is_asked_for_oddly(jo: Person, cookie: str, route: str, data: st.DataObject) -> None:
    query = urlencode(data.draw(PAIRS))
    answer = visit(route, "GET", drawn(jo.scene, data), {"cookie": cookie}, f"?{query}", None)
    assert answer.status < 500, answer.text
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("route", SENT)
@settings(max_examples=8)
@given(data=st.data())
def test_a_form_that_is_filled_in_oddly(jo: Person, cookie: str, proof: str, route: str, data: st.DataObject) -> None:
    pairs = [*data.draw(PAIRS), ("proof", proof)]
    form: dict[str, list[str]] = {name: [] for name in dict(pairs)}
    for name, text in pairs:
        form[name].append(text)
    headers = {"cookie": cookie, "origin": ADDRESS}
    answer = visit(route, "POST", drawn(jo.scene, data), headers, "", form)
    assert answer.status < 500, answer.text
    assert answer.headers["content-type"].startswith("text/html")


def drawn(scene: Scene, data: st.DataObject) -> dict[str, str]:
    known = places(scene)
    names = sorted({name for route in ROUTES for name in re.findall(r"\{(\w+)\}", route)})
    return {name: data.draw(st.sampled_from(known.get(name, ["nothing", "%", "me"]))) for name in names}


@pytest.mark.parametrize(
    ("path", "status"), [("/login?done=a&done=b", 200), ("/login?next=/a&next=/b", 400), ("/users?page=0", 400)]
)
def test_parameters_that_come_twice_or_make_no_sense(cookie: str, path: str, status: int) -> None:
    answer = call("GET", path, {"cookie": cookie})
    assert answer.status == status
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.usefixtures("jo")
def test_a_cookie_that_is_none_is_nobodys() -> None:
    for cookie in ["keyturn", "=", "__Host-keyturn=", "__Host-keyturn=kts_x", "\x00", "a=b; " * 200]:
        answer = call("GET", "/services", {"cookie": cookie})
        assert answer.headers["location"] == "/login?next=%2Fservices"
