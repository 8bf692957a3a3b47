"""The roll imported in a real browser, with scripts off, wide and on a phone: each page looked at by
axe.
"""

import re

import pytest

from models import Child, db
from models.shelf import roll, upload

from ..person import PASSWORD, code_of
from ..test_roll import listed, rows
from .conftest import serving
from .test_axe import look


def go_on():
    """What the process does that delivers."""
    with db.connection_context():
        upload.go_on()
        return Child.select().count()


@pytest.mark.parametrize("width", [1280, 360])
def test_ira_imports_the_roll(desk, school, width, tmp_path, monkeypatch):
    monkeypatch.setattr(roll, "PAUSE", 0)
    table = list(rows(28))
    table[3][3], table[7][0] = "30/02/2013", "B12"
    child = school.child
    table.append([child.upn, "Zofia Maria", "Łukasiewicz", "17/01/2013", "Year 7", ""])
    table.append(["C12345678900A", "Siôn", "Ŵyn", "17/04/2013", "Year 10", ""])
    file = tmp_path / "pupils.csv"
    heading = ["UPN", "Forename", "Surname", "Geboren", "Year group", "Leaving date"]
    file.write_bytes(listed(table, heading))
    db.close()
    with serving(school.app) as address:
        ira = desk(address, "ira@thornley.example", PASSWORD, scripts=False, width=width)
        page = ira.page
        with db.connection_context():
            page.get_by_label(re.compile("code", re.I)).fill(code_of(school.app, school.ira))
        ira.press("Sign in")

        def seen(name):
            ira.picture(f"{width}-roll-{name}")
            assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth")

        ira.open("/set-up/")
        page.get_by_role("link", name="Import the roll").click()
        seen("list")
        page.get_by_role("link", name="Choose a file").click()
        page.get_by_label("The file").set_input_files(file)
        seen("file")
        ira.press("Go on")
        page.get_by_label("Year or unit").select_option("Year group")
        ira.press("Look at what would be done")
        assert "where the date of birth stands" in page.get_by_role("alert").inner_text()
        seen("columns")
        page.get_by_label("Date of birth").select_option("Geboren")
        assert page.get_by_label("First name").input_value() == "Forename", "known by its name"
        ira.press("Look at what would be done")
        before = go_on()
        page.get_by_role("link", name="How far is it?").click()
        assert page.get_by_role("heading", name="What would be done").is_visible()
        seen("preview")
        place = page.url
        ira.press("Import")
        assert "0 of 28 done" in page.locator("main").inner_text()
        seen("importing")
        assert go_on() == before + 26
        page.get_by_role("link", name="How far is it?").click()
        assert page.get_by_role("heading", name="What was done").is_visible()
        seen("imported")
        ira.open("/roll/")
        assert page.get_by_role("link", name="pupils.csv").get_attribute("href") in place
    db.connect()


@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing_on_its_pages(desk, school, width, tmp_path):
    file = tmp_path / "pupils.csv"
    table = list(rows(28))
    table[3][3] = "30/02/2013"
    for number in range(8):  # of whom the file has five
        born = school.child.date_of_birth
        Child.create(name=f"Sam Okafor {number}", date_of_birth=born, year="Year 3")
        named = ["", "Sam", f"Okafor {number}", f"{born:%d/%m/%Y}", "", ""]
        table += [named] if number < 5 else []
    table += [[child.upn, child.name, "", "", "", ""] for child in school.children[1:]]
    table.append(["C12345678900A", "Siôn", "Ŵyn", "17/04/2013", "Year 10", ""])
    table.append([school.child.upn, "Zofia Maria", "Łukasiewicz", "17/01/2013", "Year 7", ""])
    file.write_bytes(listed(table))
    db.close()
    with serving(school.app) as address:
        carol = desk(address, "carol@thornley.example", PASSWORD, width=width)
        page, problems = carol.page, []
        with db.connection_context():
            page.get_by_label(re.compile("code", re.I)).fill(code_of(school.app, school.carol))
        carol.press("Sign in")
        carol.open("/roll/new/")
        carol.press("Go on")
        problems += look(page, "no file")
        page.get_by_label("The file").set_input_files(file)
        carol.press("Go on")
        problems += look(page, "columns")
        page.get_by_label("Date of birth").select_option("")
        carol.press("Look at what would be done")
        problems += look(page, "columns refused")
        page.get_by_label("Date of birth").select_option("Date of birth")
        carol.press("Look at what would be done")
        problems += look(page, "reading")
        go_on()
        page.get_by_role("link", name="How far is it?").click()
        carol.picture(f"{width}-roll-preview-carol")
        problems += look(page, "preview")
        page.get_by_label("Mark them as left").check()
        carol.press("Import")
        problems += look(page, "importing")
        go_on()
        page.get_by_role("link", name="How far is it?").click()
        problems += look(page, "imported")
        carol.open("/roll/")
        problems += look(page, "list")
    db.connect()
    assert not problems, "\n".join(problems)
