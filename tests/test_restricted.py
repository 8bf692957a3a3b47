"""What a restricted section ever held stays restricted, wherever its words went: the kept copy, the
history, the prints, the drafts.
"""

from datetime import timedelta
from io import BytesIO
from urllib.parse import quote

import pytest
from pypdf import PdfReader

from models import Document, Draft, Event, Log, Role, UserRole, visible
from models.ground.clock import at, now

from .faults import untie

pytestmark = pytest.mark.both

WORDS = "Mr Percival Nettlefold, volunteer"


def words_of(pdf):
    return " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages).split())


@pytest.fixture
def emptied(school, log, tracker):
    """Mark writes in the allegations section, and empties it again."""
    section = next(section for section in tracker.in_order() if section.restricted)
    section.save_answers({section.questions[1]["id"]: WORDS}, school.mark)
    section.save_answers({}, school.mark)
    return Log.get_by_id(log.id)


def test_a_copy_whose_history_holds_restricted_text_is_shut_though_the_section_was_emptied(
    cast, school, emptied
):
    emptied.complete_anyway(reason="The family moved.", by=school.alice)
    copy = Document.get()
    assert copy.restricted and "Percival" in words_of(
        cast.mark.get(f"/log/copy/?id={copy.id}").data
    )
    assert cast.carol.get(f"/log/copy/?id={copy.id}").status_code == 404
    page = cast.carol.get(f"/log/details/?id={emptied.id}")
    assert page.status_code == 200 and "/log/copy/" not in page.text and "Percival" not in page.text


def test_a_copy_that_was_kept_as_open_by_an_earlier_version_is_shut_too(cast, school, emptied):
    emptied.complete_anyway(reason="The family moved.", by=school.alice)
    untie("document", "update")
    Document.update(restricted=False).execute()
    assert not visible(Document, school.carol).exists() and visible(Document, school.mark).exists()


def test_a_copy_from_before_anything_restricted_was_written_stays_open(cast, school, log, tracker):
    Log.get_by_id(log.id).complete_anyway(reason="Nothing more can be learned.", by=school.alice)
    Log.get_by_id(log.id).reopen(reason="More came up.", by=school.alice)
    section = next(section for section in tracker.in_order() if section.restricted)
    section.save_answers({section.questions[1]["id"]: WORDS}, school.mark)
    Log.get_by_id(log.id).complete_anyway(reason="Now it is enough.", by=school.alice)
    first, second = Document.select().order_by(Document.id)
    assert [row.id for row in visible(Document, school.carol)] == [first.id]
    assert cast.carol.get(f"/log/copy/?id={second.id}").status_code == 404


def test_neither_history_nor_print_says_what_was_emptied_to_who_asks_without_the_permission(
    cast, school, emptied
):
    for person, sees in ((cast.carol, False), (cast.mark, True)):
        assert ("Percival" in person.get(f"/log/details/?id={emptied.id}").text) is sees
        assert (
            "Percival" in person.get(f"/incident/details/?id={emptied.incident_id}").text
        ) is sees
        assert ("Percival" in words_of(person.get(f"/log/pdf/?id={emptied.id}").data)) is sees
    assert "Percival" not in cast.alice.get("/event/").text, (
        "the page History says who did what, not what was written"
    )


def test_who_asks_without_saying_for_whom_gets_it_without_restricted_words(school, emptied):
    assert "Percival" not in emptied.paper() and "Percival" in emptied.paper(restricted=True)
    saved = [
        event for event in Event.of_incident(emptied.incident_id) if event.verb == "section:save"
    ]
    assert saved and not any("changed" in event.detail for event in saved)
    last = next(section for section in emptied.sections() if section.restricted)
    assert "changed" not in Event.last(last, "section:save").detail, (
        "nor by any other way to an event"
    )


def test_the_draft_of_a_form_opens_only_through_its_form(cast, school, emptied, tracker):
    """Mark's draft of the allegations section holds what colleagues wrote there, too; he is no
    manager any more.
    """
    section = next(section for section in tracker.in_order() if section.restricted)
    path = f"/section/edit/?id={section.id}"
    cast.mark.get(path)
    with at(now() + timedelta(minutes=30)):
        cast.mark.post(path, {"version": section.version, f"q{section.questions[1]['id']}": WORDS})
        assert Draft.of(school.mark, path)
        UserRole.update(role=Role.get(Role.name == "Safeguarding team")).where(
            UserRole.user == school.mark
        ).execute()
        cast.mark.sign_in()
        assert cast.mark.get(path).status_code == 404
        assert cast.mark.get(f"/account/unsent/?path={quote(path)}").status_code == 404
