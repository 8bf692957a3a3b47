"""Files on a form: nothing that was chosen is lost, nothing that a thief sends gets further than a
download, and an old paper file stands where it is dated.
"""

import io
import threading
import zipfile
from datetime import date, timedelta
from io import BytesIO

import pytest
from PIL import Image
from pypdf import PdfReader, PdfWriter

from models import Attachment, Draft, Event, Held, Incident, Refused, Share, settings
from models.access import draft
from models.case import cleaned
from models.case.attachment import DOCX, plain_name
from models.case.chronology import lines
from models.case.incident import ABOUT
from models.ground.clock import at, now
from models.policy import visible

from .conftest import report
from .person import form_of
from .test_attachment import photograph
from .test_hints import sent

PLACE = "/incident/new/?draft=mine"
NOTE = b"A note."


def file(content=NOTE, name="note.txt"):
    return BytesIO(content), name


def word(author="Dave Pritchard", **more):
    """A Word document as small as may be, which says who wrote it."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("[Content_Types].xml", "<Types/>")
        packed.writestr("_rels/.rels", "<Relationships/>")
        packed.writestr("word/document.xml", "<w:document>A letter.</w:document>")
        packed.writestr("docProps/core.xml", f"<dc:creator>{author}</dc:creator>")
        for name, content in more.items():
            packed.writestr(name.replace("__", "/"), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def pdf(author="Dave Pritchard"):
    writer, out = PdfWriter(), BytesIO()
    writer.add_blank_page(200, 200)
    writer.add_metadata({"/Author": author, "/Title": "Zofia"})
    writer.xmp_metadata = b"<?xpacket begin=''?><x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
    writer.write(out)
    return out.getvalue()


# nothing that was chosen is lost


@pytest.mark.both
@pytest.mark.parametrize(
    "why", [{"what_happened": ""}, {"more": "injuries"}, {"draft": "1"}, {"hints": "once"}], ids=str
)
def test_a_form_that_comes_back_has_its_files(cast, school, answers, why):
    cast.dave.get("/incident/new/")
    wrong = answers | why | {"files": file()}
    if "hints" in why:
        wrong["what_happened"] = "JB hit her recently."
    page = cast.dave.post(PLACE, wrong)
    assert not Incident.select().exists() and form_of(page) == PLACE
    assert "note.txt 1 kB Leave out" in page.text_only
    assert "chosen again" not in page.text_only
    page = cast.dave.get(PLACE)
    assert "note.txt 1 kB Leave out" in page.text_only, "nor when the page is left"
    page = cast.dave.post(PLACE, answers | {"files": file(b"Another.", "more.txt")})
    assert "Saved as INC-" in page.text_only
    assert {row.read() for row in Attachment.select()} == {NOTE, b"Another."}
    assert not Held.select().exists() and not Draft.select().exists()


@pytest.mark.parametrize("way", ["ended", "hidden"])
def test_the_files_are_back_when_the_bell_rang(cast, school, answers, way):
    cast.dave.get("/incident/new/")
    fields = {"what_happened": "Half", "files": file()}
    if way == "hidden":
        cast.dave.post(PLACE, fields | {"draft": "hide"})
        assert Held.get().user == school.dave
        return
    with at(now() + timedelta(minutes=30)):
        page = cast.dave.post(PLACE, fields | {"files": [file(), file(b"GIF89a.....", "a.gif")]})
        assert "What you typed is kept" in page.text_only
        assert "“a.gif” is a GIF" in page.text_only, "and which file is not"
        page = cast.dave.sign_in().get(PLACE)
        assert "note.txt 1 kB Leave out" in page.text_only


def test_the_script_keeps_a_file_as_soon_as_it_is_chosen(cast, school, answers):
    cast.dave.get("/incident/new/")
    fields = {"draft_path": PLACE, "what_happened": "Half", "files": [file(), file(b"", "0.txt")]}
    told = cast.dave.post("/account/draft/", fields).json
    assert told["kept"] and [row[1:] for row in told["held"]] == [["note.txt", 7]]
    assert told["wrong"] == ["“0.txt” is empty. Choose it again, or take it once more."]
    cast.dave.post("/account/draft/", {"draft_path": PLACE, "what_happened": "Half of it"})
    assert Held.get().content == NOTE, "what is typed afterwards leaves it"
    page = cast.dave.post(PLACE, answers)
    assert "Saved as INC-" in page.text_only and Attachment.get().read() == NOTE


@pytest.mark.both
def test_what_is_ticked_is_left_out(cast, school, answers):
    cast.dave.get("/incident/new/")
    two = {"files": [file(), file(b"Another.", "more.txt")], "draft": "1"}
    cast.dave.post(PLACE, two)
    first, second = Held.at(school.dave, PLACE)
    page = cast.dave.post(PLACE, {"leave_out": str(first.id), "draft": "1"})
    assert "more.txt" in page.text and "note.txt" not in page.text
    page = cast.dave.post(PLACE, answers | {"leave_out": str(second.id)})
    assert "Saved as INC-" in page.text_only and not Attachment.select().exists()


def test_nobody_else_has_them_nor_throws_them_away(cast, school, answers):
    cast.dave.get("/incident/new/"), cast.dina.get("/incident/new/")
    cast.dave.post(PLACE, {"files": file(), "draft": "1"})
    id = Held.get().id
    assert "note.txt" not in cast.dina.get(PLACE).text
    for odd in (str(id), "x", "-1", "9" * 400, "²"):
        assert cast.dina.post(PLACE, {"leave_out": odd, "draft": "1"}).status_code == 200
    page = cast.dina.post(PLACE, answers)
    assert "Saved as INC-" in page.text_only and not Attachment.select().exists()
    other = "/incident/new/?draft=other"
    cast.dave.post(other, {"leave_out": str(id), "draft": "1"})
    page = cast.dave.post(other, answers | {"leave_out": str(id)})
    assert Held.get().id == id and not Attachment.select().exists(), "it is of another form"


@pytest.mark.both
def test_they_go_with_the_draft(cast, school):
    cast.dave.get("/incident/new/")
    cast.dave.post(PLACE, {"files": file(), "topic": "Red mark", "draft": "1"})
    cast.dave.post(PLACE, {"draft": "away"})
    assert not Held.select().exists()
    cast.dave.post(PLACE, {"files": file(), "topic": "Red mark", "draft": "1"})
    cast.dave.post("/account/forget/", {"path": PLACE})
    assert not Held.select().exists()
    with at(now() - timedelta(days=31)):
        Draft.keep(school.dave, PLACE, [("topic", "Red mark")])
    Held.hold(school.dave, PLACE, [("note.txt", NOTE)])
    Draft.keep(school.dina, PLACE, [("topic", "Red mark")])
    Held.hold(school.dina, PLACE, [("note.txt", NOTE)])
    Draft.forget()
    assert [one.user for one in Held.select()] == [school.dina]


def test_they_have_a_limit_and_the_text_is_kept_all_the_same(cast, school, monkeypatch):
    monkeypatch.setattr(draft, "FILES", 2)
    cast.dave.get("/incident/new/")
    three = [file(str(number).encode(), f"{number}.txt") for number in range(3)]
    page = cast.dave.post(PLACE, {"files": three, "topic": "Red mark", "draft": "1"})
    assert "too many, or too large" in page.text_only and not Held.select().exists()
    assert Draft.of(school.dave, PLACE)
    monkeypatch.setattr(draft, "FILES", 40)
    monkeypatch.setattr(settings, "upload_mb", 0.00001)
    with pytest.raises(Refused, match="too large"):
        Held.hold(school.dave, PLACE, [("long.txt", b"x" * 51)])
    assert not Held.select().exists()


def test_the_same_file_chosen_twice_is_kept_once(cast, school, answers):
    cast.dave.get("/incident/new/")
    cast.dave.post(PLACE, {"files": file(), "draft": "1"})
    cast.dave.post(PLACE, answers | {"files": [file(), file(NOTE, "copy.txt")]})
    assert Attachment.select().count() == 1


def test_two_presses_at_once_keep_one_file(app, cast, school, answers):
    page = cast.dave.get(PLACE)
    once = sent(page)["once"]
    cast.dave.post(PLACE, {"files": file(), "draft": "1"})

    def press():
        with app.test_client() as client:
            for cookie in cast.dave.client._cookies.values():
                client.set_cookie(cookie.key, cookie.value)
            fields = answers | {"once": once, "csrf_token": cast.dave.token}
            client.post(PLACE, data=fields)

    threads = [threading.Thread(target=press) for _ in range(2)]
    [one.start() for one in threads], [one.join() for one in threads]
    assert Incident.select().count() == 1 and Attachment.select().count() == 1


# what a thief sends


def test_names_are_shown_as_they_are():
    for name, shown in {
        "../../etc/passwd": "passwd",
        "C:\\Users\\dave\\wrist.jpg": "wrist.jpg",
        "photo\u202egpj.exe": "photogpj.exe",
        "a\u2066b\u200bc\u00a0d.txt": "abc d.txt",
        "new\nline\x1b[31m\0.txt": "new line [31m .txt",
        "cafe\u0301.txt": "caf\u00e9.txt",
        "": "file",
        "/": "file",
        "\u202e": "file",
        None: "file",
        "Zofia Łukasiewicz 花子.pdf": "Zofia Łukasiewicz 花子.pdf",
    }.items():
        assert plain_name(name) == shown
    assert plain_name("x" * 500 + ".jpg").endswith("xx.jpg") and len(plain_name("x" * 500)) == 200


def bomb():
    """A Word document of a few kB that unpacks to 600 MB."""
    small = word(word__image=b"\0" * 5_000_000)
    return small.replace((5_000_000).to_bytes(4, "little"), (600_000_000).to_bytes(4, "little"))


def huge():
    out = BytesIO()
    Image.new("1", (10_000, 10_000)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.pdf", b"", "is empty"),
        ("IMG_1.HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 40, "iPhone"),
        ("moving.gif", b"GIF89a" + b"\0" * 40, "may move"),
        ("all.zip", b"PK\x03\x04" + b"\0" * 60, "packed (ZIP)"),
        ("program.jpg", b"MZ\x90\0" + b"\0" * 60, "not a kind of file"),
        ("old.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "not a kind|old kind"),
        ("bomb.docx", bomb(), "unpacks to more"),
        ("broken.docx", word()[:-60], "cannot be unpacked"),
        ("macro.docx", word(**{"word__vbaProject.bin": b"Sub AutoOpen"}), "macros"),
        ("huge.png", huge(), "50 million dots"),
        ("25.txt", b"x" * 25_000_000, "larger than 10 MB"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_is_not_kept_is_said_why(cast, school, answers, name, content, said):
    cast.dave.get("/incident/new/")
    page = cast.dave.post(PLACE, answers | {"files": [file(content, name), file()]})
    assert page.status_code == 422 and not Incident.select().exists()
    assert f"“{name}” " in page.text_only
    assert any(one in page.text_only for one in said.split("|")), page.text_only
    assert answers["what_happened"] in page.text
    assert [one.name for one in Held.select()] == ["note.txt"], "the others stay"


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("page.jpg", b"<html><script>alert(1)</script>", "text/plain"),
        ("map.svg", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "text/plain"),
        ("wrist.html", photograph() + b"<script>alert(1)</script>", "image/jpeg"),
        ("wrist.php", photograph("PNG") + b"<?php system($_GET[0]);", "image/png"),
        ("letter.html", b"%PDF-1.4\n<script>alert(1)</script>", "application/pdf"),
    ],
)
def test_a_file_that_is_two_things_runs_nowhere(cast, school, name, content, kind):
    row = Attachment.add(report(school), school.dave, name, content)
    assert row.kind == kind
    got = cast.alice.get(f"/incident/file/?id={row.id}")
    disposition = got.headers["Content-Disposition"]
    assert got.mimetype == kind and disposition.startswith("attachment;")
    assert not disposition.rstrip('"').endswith((".html", ".svg", ".php"))
    assert got.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    original = cast.alice.get(f"/incident/file/?id={row.id}&look=1&original=1")
    assert original.headers["Content-Disposition"].startswith("attachment;")
    look = cast.alice.get(f"/incident/file/?id={row.id}&look=1")
    if not kind.startswith("image"):
        assert look.status_code == 404, "only a picture is shown"
        return
    assert look.mimetype == "image/jpeg" and look.data.startswith(b"\xff\xd8")
    assert look.headers["Content-Disposition"].startswith("inline")
    assert "sandbox" in look.headers["Content-Security-Policy"]
    for shown in (look.data, got.data):
        assert b"alert" not in shown and b"system" not in shown and b"Telephone" not in shown
    page = cast.alice.get(f"/attachment/details/?id={row.id}")
    assert f'src="/incident/file/?id={row.id}&amp;look=1"' in page.text


def test_a_picture_on_a_page_is_upright_and_no_larger_than_a_page(school):
    out = BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (4_000, 2_000), "red").save(out, "JPEG", exif=exif)
    with Image.open(BytesIO(cleaned.for_a_page(out.getvalue(), "wide.jpg"))) as shown:
        assert shown.size == (800, 1_600) and not shown.getexif() and not shown.info.get("exif")
    out = BytesIO()
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(out, "PNG")
    with Image.open(BytesIO(cleaned.for_a_page(out.getvalue(), "clear.png"))) as shown:
        assert shown.getpixel((5, 5)) == (255, 255, 255), "on white"
    with pytest.raises(Refused, match="cannot be read"):
        cleaned.for_a_page(huge(), "huge.png")


def test_a_jpeg_of_two_pictures_is_shown_as_the_first(school):
    out = BytesIO()
    second = [Image.new("RGB", (40, 30), "blue")]
    Image.new("RGB", (40, 30), "red").save(out, "MPO", save_all=True, append_images=second)
    row = Attachment.add(report(school), school.dave, "IMG_1.JPG", out.getvalue())
    assert row.kind == "image/jpeg"
    for shown in (row.shown(), row.for_a_page()):
        with Image.open(BytesIO(shown)) as picture:
            assert picture.format == "JPEG" and picture.getpixel((5, 5))[0] > 240


@pytest.mark.parametrize(("name", "content"), [("a.pdf", pdf()), ("a.docx", word())])
def test_who_wrote_a_document_is_not_shown_and_the_original_is_kept(cast, school, name, content):
    row = Attachment.add(report(school), school.dave, name, content)
    shown = cast.carol.get(f"/incident/file/?id={row.id}").data
    assert shown != content
    if row.kind == DOCX:
        with zipfile.ZipFile(BytesIO(shown)) as packed:
            whole = b"".join(packed.read(one) for one in packed.namelist())
            assert b"A letter." in whole and packed.testzip() is None
    else:
        whole = shown
        assert len(PdfReader(BytesIO(shown)).pages) == 1 and not PdfReader(BytesIO(shown)).metadata
    for word_ in (b"Pritchard", b"Zofia", b"xmpmeta"):
        assert word_ not in whole
    assert cast.carol.get(f"/incident/file/?id={row.id}&original=1").status_code == 403
    assert cast.alice.get(f"/incident/file/?id={row.id}&original=1").data == content
    assert Event.last(row, "attachment:read_original").by == school.alice


def test_a_document_that_cannot_be_written_anew_is_handed_out_as_it_is():
    locked, out = PdfWriter(clone_from=PdfReader(BytesIO(pdf()))), BytesIO()
    locked.encrypt("secret")
    locked.write(out)
    for content in (out.getvalue(), b"%PDF-1.4 broken", pdf() + b"/ByteRange [0 1 2 3]"):
        assert cleaned.pdf_without_metadata(content) == content
    assert cleaned.word_without_metadata(b"PK broken") == b"PK broken"


def test_ids_of_files_are_guessed_in_vain(cast, school):
    row = Attachment.add(
        report(school, adults=[(school.mark, ABOUT)]), school.dave, "wrist.jpg", photograph()
    )
    for door in ("/incident/file/", "/attachment/details/"):
        for person in (cast.mark, cast.dina):
            for more in ("", "&look=1", "&original=1"):
                yours = person.get(f"{door}?id={row.id}{more}")
                absent = person.get(f"{door}?id=99999{more}")
                assert yours.status_code == absent.status_code == 404
                assert yours.text_only == absent.text_only
    assert "wrist.jpg" not in cast.mark.get("/attachment/").text
    assert "wrist.jpg" in cast.carol.get("/attachment/").text
    page = cast.mark.post(f"/attachment/new/?incident={row.incident_id}", {"files": file()})
    assert page.status_code == 404 and Attachment.select().count() == 1


# a file that is added later


def add(person, incident, **fields):
    path = f"/attachment/new/?incident={incident.id}"
    page = person.get(path)
    return person.post(form_of(page), fields) if page.status_code == 200 else page


@pytest.mark.both
def test_an_old_paper_file_is_added_with_its_pages_and_dates(cast, school, incident):
    page = add(
        cast.carol, incident, files=file(pdf(), "scan.pdf"), what="Paper file", period="2019",
        dated_on="2019-03-04", until="2019-11-05", pages="14",
    )  # fmt: skip
    assert "Saved: Paper file, 2019, 14 pages." in page.text_only
    row = Attachment.get()
    assert (row.dated_on, row.until, row.pages) == (date(2019, 3, 4), date(2019, 11, 5), 14)
    assert row.added_by == school.carol and Event.last(row, "attachment:add").by == school.carol
    page = cast.dave.get(f"/incident/details/?id={incident.id}")
    assert "Paper file 2019, 14 pages, " in page.text_only.replace(" ,", ",")
    page = cast.dave.get(f"/attachment/details/?id={row.id}")
    assert "scan.pdf" in page.text_only and row.sha256 in page.text_only
    line = next(one for one in lines([incident.child], school.carol, visible) if one.record == row)
    assert line.headline == "File: Paper file" and "14 pages" in line.facts
    assert line.first == date(2019, 3, 4) and line.said == "2019"


def test_what_contradicts_itself_comes_back_with_the_file(cast, school, incident):
    page = add(
        cast.carol, incident, files=file(), what="Paper file", dated_on="2039-01-01",
        until="2018-01-01", pages="0",
    )  # fmt: skip
    assert page.status_code == 422 and not Attachment.select().exists()
    for sentence in ("in the future, or before 1900", "before the date", "from 1 to 10,000"):
        assert sentence in page.text_only
    assert "note.txt 1 kB Leave out" in page.text_only and "Paper file" in page.text
    page = add(cast.carol, incident, what="Paper file")
    assert page.status_code == 422 and "Choose the file" in page.text_only


def test_who_may_add_a_file(cast, school, incident):
    Share.share(incident, school.connor, "He drives him home.", school.mark)
    for person, code in ((cast.dave, 200), (cast.connor, 200), (cast.dina, 404), (cast.ira, 403)):
        page = add(person, incident, files=file(person.user.name.encode(), "note.txt"))
        assert page.status_code == code, person.user
    assert Attachment.select().count() == 2
    cast.dave.get("/incident/")
    page = cast.dina.post(f"/attachment/new/?incident={incident.id}", {"files": file()})
    assert page.status_code == 404


def test_a_case_has_the_files_of_its_incidents(cast, school, incident):
    from .conftest import triage

    case = triage(school, incident, opens=True)
    Attachment.add(incident, school.dave, "note.txt", NOTE, what="A letter home")
    page = cast.carol.get(f"/case/details/?id={case.id}")
    assert "A letter home" in page.text_only and incident.reference in page.text_only


def test_a_full_disk_loses_no_text_and_no_file_that_was_held(cast, school, answers, monkeypatch):
    cast.dave.get("/incident/new/")
    cast.dave.post(PLACE, {"files": file(), "draft": "1"})

    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("models.case.attachment.put", full)
    page = cast.dave.post(PLACE, answers)
    assert page.status_code == 507 and not Incident.select().exists()
    assert Held.get().content == NOTE
    monkeypatch.undo()
    page = cast.dave.post(PLACE, answers)
    assert "Saved as INC-" in page.text_only and Attachment.get().read() == NOTE


def test_metadata_of_a_large_document_does_not_take_long():
    writer, out = PdfWriter(), io.BytesIO()
    for _ in range(300):
        writer.add_blank_page(200, 200)
    writer.write(out)
    begun = now()
    cleaned.pdf_without_metadata(out.getvalue())
    assert now() - begun < timedelta(seconds=5)
