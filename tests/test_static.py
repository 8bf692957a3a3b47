"""The stylesheet, the script and the icon: kept by a browser for a year, under the name of their
content.
"""

import re

from admin_views.rails.static import YEAR

from .test_house_rules import HERE


def test_what_pages_name_is_kept_for_a_year_and_changes_its_name_with_its_content(app, cast):
    page = cast.alice.get("/")
    named = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text))
    assert {re.sub(r"\.[0-9a-f]{12}\.", ".", path) for path in named} == {
        "/static/style.css",
        "/static/app.js",
        "/static/icon.svg",
    }
    for path in named:
        answer = app.test_client().get(path, buffered=True)
        plain = re.sub(r"\.[0-9a-f]{12}\.", ".", path).removeprefix("/static/")
        assert re.search(r"\.[0-9a-f]{12}\.", path) and answer.status_code == 200
        assert answer.data == (HERE / "static" / plain).read_bytes()
        assert answer.headers["Cache-Control"] == YEAR and "Set-Cookie" not in answer.headers
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_any_other_name_is_kept_by_nobody(app):
    """A page from before an upgrade still gets a stylesheet; what there is not is told to nobody."""
    old = "/static/style.0123456789ab.css"
    for path, status in ((old, 200), ("/static/style.css", 200), ("/static/no.css", 404)):
        answer = app.test_client().get(path, buffered=True)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (status, "no-store"), path
