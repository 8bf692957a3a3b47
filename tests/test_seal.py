"""The kept copy: signed, and told from everything that it is not."""

from hashlib import sha256
from io import BytesIO

import pytest
from pypdf import PdfReader

from models import Document, Event, Refused, db
from models.ground.clock import now
from models.ground.settings import settings
from models.history.paper import to_pdf
from models.history.seal import certificate
from models.shelf import copies

from .faults import untie, whole


def test_a_forged_row_does_not_make_a_paper_genuine(signed):
    untie("document")
    forged = to_pdf("<html><body>Another paper</body></html>")
    Document.update(pdf=forged, sha256=sha256(forged).hexdigest()).execute()
    with pytest.raises(Refused, match="carries no signature"):
        copies.of_paper(forged)


def test_the_copy_is_signed_and_carries_its_digest_and_the_head(signed):
    document = Document.get()
    text = "".join(page.extract_text() for page in PdfReader(BytesIO(document.content())).pages)
    assert (
        f"history {document.event.hash[:32]}" in text and f"record {document.digest[:32]}" in text
    )
    said = copies.of_paper(document.content())
    assert (
        "kept when Mark Kowalczyk signed it off" in said
        and "signature is this installation’s and whole" in said
        and document.digest in said
    )
    assert certificate().not_valid_after_utc.year > now().year + 75


def test_the_command_says_it_in_one_line(app, signed, tmp_path):
    file, runner = tmp_path / "kept.pdf", app.test_cli_runner()
    file.write_bytes(Document.get().content())
    db.close()
    good = runner.invoke(args=["verify", str(file)])
    assert good.exit_code == 0 and "byte for byte" in good.output and not good.stderr
    file.write_bytes(file.read_bytes().replace(b"endobj", b"endObj", 1))
    bad = runner.invoke(args=["verify", str(file)])
    assert (
        bad.exit_code == 1
        and bad.stderr
        == "Error: This is not what was signed off: the file was changed after it was signed.\n"
    )
    assert "all fit" in runner.invoke(args=["verify"]).output
    db.connect(reuse_if_open=True)
    assert "Kept copies, all as they were signed" in Event.latest("event:verify").detail["found"][3]


def test_one_changed_byte_is_found_wherever_it_is(signed):
    pdf = Document.get().content()
    for place in (60, len(pdf) // 3, len(pdf) // 2, len(pdf) - 2000, len(pdf) - 8):
        changed = bytearray(pdf)
        changed[place] ^= 1
        with pytest.raises(
            Refused, match="not what was signed off|carries no signature|not, byte for byte"
        ):
            copies.of_paper(bytes(changed))
    with pytest.raises(Refused, match="changed after it was signed"):
        copies.of_paper(pdf + b"\n%% one more line")


def test_other_papers_are_called_what_they_are(signed, tmp_path):
    with pytest.raises(Refused, match="carries no signature"):
        copies.of_paper(to_pdf(signed.paper()))
    with pytest.raises(Refused, match="carries no signature"):
        copies.of_paper(b"not a PDF at all")
    from models.history.seal import sign

    ours = sign(to_pdf("<html><body>A paper</body></html>"), "Signed off")
    with pytest.raises(Refused, match="not, byte for byte, a copy kept here"):
        copies.of_paper(ours)
    (settings.folder / "signing.pem").unlink()  # another installation makes its own
    with pytest.raises(Refused, match="the signature is another’s"):
        copies.of_paper(ours)


def test_another_copy_is_never_made_in_the_place_of_one_whose_history_was_emptied(signed):
    document = Document.get()
    untie("document")
    Event.update(payload="").where(Event.verb == "document:keep").execute()
    Document.update(pdf=None, sha256=None).execute()
    with pytest.raises(Refused, match="Another is not made in its place"):
        Document.get_by_id(document.id).content()
    with pytest.raises(Refused, match="no retention decision"):
        whole()


def test_copies_kept_before_the_history_took_their_hashes_are_taken_in(school, signed):
    untie("event")
    last = Event.head()
    assert last.id == Event.get(Event.verb == "document:keep").id
    Event.delete().where(Event.id == last.id).execute()
    with pytest.raises(Refused):
        whole()
    Document.adopt()
    Document.adopt()
    assert whole() and Event.select().where(Event.verb == "document:keep").count() == 1
