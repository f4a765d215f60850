"""The API described for people."""

from html.parser import HTMLParser

from chalicelib.rest.openapi import description
from tests.rest.calling import REST, send


class Page(HTMLParser):
    """Collects what a page names and where it leads."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.ids += [value or "" for name, value in attributes if name == "id"]
        self.links += [value or "" for name, value in attributes if name == "href"]


def test_every_operation_and_object_is_on_the_page_and_every_link_leads_somewhere() -> None:
    page = Page(send("GET", f"{REST}/reference").text)
    operations = {each["operationId"] for methods in description()["paths"].values() for each in methods.values()}
    assert operations | description()["components"]["schemas"].keys() <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links if link.startswith("#")} <= set(page.ids)
    assert {link for link in page.links if not link.startswith("#")} == {"openapi.json"}


def test_a_browser_runs_nothing_and_loads_nothing() -> None:
    answer = send("GET", f"{REST}/reference")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert not {"script", "img", "link", "iframe"} & set(Page(answer.text).tags)
