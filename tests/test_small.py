"""A small worry: one screen of the same report, which becomes the whole with one press."""

import re

from models import Choice, Incident

from .person import form_of

URL = "/incident/new/?small=1"


def starred(page):
    """The fields of a form that are needed, as the page says by a star."""
    main = page.text.split('id="writing"')[1].split("</form>")[0]
    return re.findall(r'<(?:label|legend)[^>]*>([^<]+)<span class="star"', main)


def hidden(page):
    """What the form sends unasked."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))


def typed(page, school, **more):
    asked = {"child": school.child.label, "what_happened": "She ate nothing at lunch."}
    unasked = {name: value for name, value in hidden(page).items() if name in Incident.SMALL}
    known = "I saw or heard it"
    return unasked | asked | {"noticed_at": "now", "known": known} | more


def test_four_answers_are_an_incident_that_says_what_its_page_said(cast, school):
    page = cast.dave.get(URL)
    assert len(starred(page)) == 3, starred(page)
    assert "the child is not in immediate danger" in page.text_only
    assert "Saved as INC-" in cast.dave.post(URL, typed(page, school)).text_only
    saved = Incident.select().order_by(Incident.id.desc()).get()
    assert {name: getattr(saved, name) for name in Incident.SMALL} == Incident.SMALL
    assert (saved.reported_by, saved.status) == (school.dave, "no alert")
    for where in ("/", "/incident/"):
        assert 'href="/incident/new/?small=1"' in cast.dave.get(where).text


def test_one_press_makes_it_the_whole_and_nothing_is_typed_twice(cast, school):
    page = cast.dave.get(URL)
    sent = typed(page, school, more="whole")
    whole = cast.dave.post(URL, sent)
    assert "She ate nothing at lunch." in whole.text and school.child.label in whole.text
    assert "Report an incident" in whole.text_only and not Incident.select().exists()
    assert Incident.SMALL["immediate_action"] not in whole.text, "it is asked now"
    always = [one for one in starred(whole) if "When did it happen" not in one]
    assert len(always) == len(starred(whole)) - 1 == 8, "that one only for who knows the time"
    assert not re.search(r'value="(yes|no)"[^>]* checked', whole.text), "none is answered unasked"
    again = cast.dave.post(URL, typed(whole, school) | {"whole": "1"})
    assert (
        again.status_code == 422
        and "Answer Yes or No: is the child in immediate danger?" in again.text_only
    )
    assert 'name="whole"' in again.text, "it stays the whole"
    assert not Incident.select().exists()


def test_an_empty_one_says_what_is_needed_and_a_list_without_not_known_asks(cast, school):
    page = cast.dave.get(URL)
    empty = cast.dave.post(URL, typed(page, school, what_happened="", child=""))
    assert empty.status_code == 422 and "Say what happened" in empty.text_only
    assert len(starred(empty)) == 3, "a small one still"
    Choice.update(retired=True).where(Choice.list == "place", Choice.name == "Not known").execute()
    page = cast.dave.get(URL)
    assert any("Where" in one for one in starred(page)) and "place" not in hidden(page)


def test_a_moment_left_empty_is_the_one_of_saving(cast, school):
    page = cast.dave.get(URL)
    cast.dave.post(URL, typed(page, school, noticed_at=""))
    assert Incident.get().noticed_at == Incident.get().reported_at


SPOKEN = {"told_dsl": "yes", "told_whom": "Alice Brennan, DSL", "told_dsl_at": "4/3/2026 09:20"}


def test_whether_a_dsl_was_spoken_to_is_asked_with_whom_and_when_and_never_needed(cast, school):
    page = cast.dave.get(URL)
    for label in ("Have you spoken to a DSL?", "To whom?", "When did you speak to them?"):
        assert label in page.text_only, label
        assert not any(label in one for one in starred(page)), "never needed"
    whole = cast.dave.post(URL, typed(page, school, more="whole", **SPOKEN))
    assert 'value="Alice Brennan, DSL"' in whole.text, "it goes over to the whole"
    noticed = {"noticed_at": "4/3/2026 09:15"}
    assert (
        "Saved as INC-" in cast.dave.post(URL, typed(page, school, **SPOKEN, **noticed)).text_only
    )
    saved = Incident.get()
    assert (saved.told_dsl, saved.told_whom) == (True, "Alice Brennan, DSL")
    page = cast.alice.get(f"/incident/details/?id={saved.id}").text_only
    assert "DSL spoken to Yes" in page and "To whom Alice Brennan, DSL" in page
    assert "When a DSL was spoken to 4 March 2026, 09:20" in page


def test_no_with_a_name_is_a_question_and_yes_without_one_is_saved(cast, school):
    page = cast.dave.get(URL)
    asked = cast.dave.post(URL, typed(page, school, **SPOKEN | {"told_dsl": "no"}))
    assert asked.status_code == 422 and "answer Yes, or empty that" in asked.text_only
    assert 'value="Alice Brennan, DSL"' in asked.text and not Incident.select().exists()
    asked = cast.dave.post(URL, typed(page, school, told_dsl="yes", told_whom="x" * 201))
    assert asked.status_code == 422 and "Write 200 characters or fewer." in asked.text_only
    cast.dave.post(URL, typed(page, school, told_dsl="yes"))
    assert (Incident.get().told_dsl, Incident.get().told_whom) == (True, None)


def test_whom_is_kept_in_a_draft(cast, school):
    page = cast.dave.get(URL)
    here = form_of(page)
    cast.dave.post(here, typed(page, school, **SPOKEN) | {"draft": "1"})
    assert (
        'value="Alice Brennan, DSL"' in cast.dave.get(here).text and not Incident.select().exists()
    )
