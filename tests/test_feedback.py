"""Thanks and corrections: for the author's eyes and the team's, off the child's record, and shut
to the adult whom an incident is about.
"""

import pytest

from models import TABLES, Event, Feedback, Log, Notice, Refused, Share, User, visible
from models.case.incident import ABOUT
from models.shelf import proof

from .conftest import report

KIND = "Word for word, and within the hour."


@pytest.fixture
def thanked(school, incident):
    return Feedback.give(incident, school.carol, "Thank you", KIND)


@pytest.mark.both
def test_from_the_incident_to_read_in_the_browser(cast, school, incident):
    page = cast.carol.get(f"/incident/details/?id={incident.id}")
    assert "Thank or correct" in page.text_only
    before = Notice.select().count()
    form = {"kind": "Thank you", "text": KIND}
    page = cast.carol.post(f"/feedback/new/?incident={incident.id}", form)
    assert KIND in page.text_only and "not read yet" in page.text_only
    assert Notice.select().count() == before, "no email: it is found on the home page"
    home = cast.dave.get("/")
    assert KIND in home.text_only and "About your reports" in home.text_only
    home = cast.dave.press("feedback:acknowledge", Feedback.get())
    assert home.request.path == "/" and KIND not in home.text_only, "one press, and it is gone"
    assert "Read: whoever wrote it sees that." in home.text_only
    assert Feedback.get().status == "read"
    assert KIND in cast.dave.get(f"/incident/details/?id={incident.id}").text_only
    page = cast.carol.get(f"/incident/details/?id={incident.id}").text_only
    assert ", read" in page and "not read yet" not in page
    assert Event.last(Feedback.get(), "feedback:acknowledge").by == school.dave
    assert proof.history(TABLES) == Event.select().count(), "and yet it is in the history"


def test_wrong_person_and_twice(cast, school, thanked):
    cast.carol.get("/")
    page = cast.carol.press("feedback:acknowledge", thanked)
    assert page.status_code == 409 and "Only the author" in page.text_only
    for person in (cast.dina, cast.connor):
        person.get("/")
        assert person.press("feedback:acknowledge", thanked).status_code == 404
        assert person.get(f"/feedback/details/?id={thanked.id}").status_code == 404
        assert KIND not in person.get("/feedback/").text
    assert cast.dave.get(f"/feedback/new/?incident={thanked.incident_id}").status_code == 403
    cast.dave.press("feedback:acknowledge", thanked)
    assert cast.dave.press("feedback:acknowledge", thanked).status_code == 409
    assert Event.select().where(Event.verb == "feedback:acknowledge").count() == 1


def test_whom_it_is_shared_with_reads_the_incident_and_not_this(cast, school, thanked):
    Share.share(thanked.incident, school.connor, "He drives her home.", school.mark)
    page = cast.connor.get(f"/incident/details/?id={thanked.incident_id}")
    assert page.status_code == 200 and KIND not in page.text and "author" not in page.text_only
    assert not visible(Feedback, school.connor).exists()


def test_no_child_s_record_holds_it(cast, school, incident, thanked):
    """Neither the log, its paper, the history of the case nor the child's page."""
    thanked.acknowledge(by=school.dave)
    assert thanked.its_incident() is None
    assert not Event.select().where(Event.incident == incident.id, Event.subject == "feedback")
    log = Log.trigger(incident, school.mark)
    paper = log.paper(restricted=True)
    assert "A red mark" in paper and KIND not in paper and "author" not in paper
    for path in (
        f"/log/details/?id={log.id}",
        f"/child/details/?id={incident.child_id}",
        f"/incident/details/?id={incident.id}&history=all",
    ):
        assert "gave a word" not in cast.mark.get(path).text_only, path
    events = Event.select().where(Event.subject == "feedback")
    assert events.count() == 2
    for event in events:
        told = event.payload + event.sentence
        assert incident.reference not in told and incident.child.name not in told


def test_the_adult_whom_it_is_about_learns_nothing_of_it(cast, school):
    incident = report(school, by=school.dina, adults=[(school.bob, ABOUT)])
    word = Feedback.give(incident, school.carol, "For next time", "Write the time down.")
    assert not visible(Feedback, school.bob).exists() and visible(Feedback, school.alice).exists()
    for path in ("/", "/feedback/", "/event/", "/event/?what=Changes"):
        page = cast.bob.get(path).text_only
        assert "Write the time down." not in page and "gave a word" not in page, path
    assert "gave a word" in cast.alice.get("/event/?what=Changes").text_only
    assert cast.bob.get(f"/feedback/details/?id={word.id}").status_code == 404
    assert cast.bob.get(f"/feedback/new/?incident={incident.id}").status_code == 404
    Share.name_adult(incident, school.dina, "The child said so.", school.mark)
    assert "Write the time down." not in cast.dina.get("/").text
    assert cast.dina.press("feedback:acknowledge", word).status_code == 404, "the author herself"


def test_nobody_is_thanked_who_would_not_read_it(cast, school, incident):
    own = report(school, by=school.carol)
    page = cast.carol.post(f"/feedback/new/?incident={own.id}", {"kind": "Thank you", "text": "I"})
    assert page.status_code == 422 and "You reported it yourself" in page.text_only
    assert "Thank or correct" not in cast.carol.get(f"/incident/details/?id={own.id}").text_only
    User.update(active=False).where(User.id == school.dave.id).execute()
    form = {"kind": "Thank you", "text": KIND}
    page = cast.carol.post(f"/feedback/new/?incident={incident.id}", form)
    assert page.status_code == 422 and "Dave Pritchard has left" in page.text_only
    assert KIND in page.text, "the text is given back"
    User.update(active=True).where(User.id == school.dave.id).execute()
    Share.name_adult(incident, school.dave, "The child said so.", school.mark)
    with pytest.raises(Refused, match="The concern is about Dave Pritchard"):
        Feedback.give(incident, school.carol, "Thank you", KIND)
    page = cast.carol.post(f"/feedback/new/?incident={incident.id}", {"kind": "Thank you"})
    assert page.status_code == 422 and not Feedback.select().exists()


def marks(person, incident):
    page = person.get(f"/incident/details/?id={incident.id}").text_only
    return [name for name in ("first", "second", "third") if f"’s {name} report" in page]


def test_the_first_three_reports_are_marked(cast, school):
    reports = [report(school, by=school.dina) for _number in range(4)]
    found = [marks(cast.carol, incident) for incident in reports]
    assert found == [["first"], ["second"], ["third"], []]
    page = cast.carol.get(f"/incident/details/?id={reports[0].id}").text_only
    assert "Dina El-Sayed’s first report: thank or correct" in page
    assert marks(cast.dina, reports[0]) == [], "for those who say something, not for the author"
    Feedback.give(reports[0], school.carol, "Thank you", KIND)
    page = cast.carol.get(f"/incident/details/?id={reports[0].id}").text_only
    assert "first report" in page and ": thank or correct" not in page


def test_the_count_tells_of_no_report_that_is_shut(cast, school):
    """Dina's first report is about Bob: to him the second is the first that there is."""
    report(school, by=school.dina, adults=[(school.bob, ABOUT)])
    second = report(school, by=school.dina)
    assert marks(cast.bob, second) == ["first"] and marks(cast.alice, second) == ["second"]
