"""What the school wants recorded, the paper form, and the later entry of what stood on paper."""

import pytest

from models import Guidance, Incident, Refused, Role, Setting, User, UserRole
from models.case.guidance import TEXT
from models.ground.clock import now

from . import poppler
from .conftest import guidance, report


def test_beside_the_report_form_with_the_team_and_the_duty_telephone(cast, school):
    assert TEXT.split("\n")[0] in cast.dave.get("/incident/new/").text_only, "ours, until theirs"
    cast.alice.get("/guidance/new/")
    more = {"text": "Write it the same day.\nNo photographs.", "duty": "01632 960100", "numbers": "MASH, 01632 960123"}  # fmt: skip
    cast.alice.post("/guidance/new/", more | {"elsewhere": "The chair, 01632 960199"})
    page = cast.dave.get("/incident/new/").text_only
    for word in ("No photographs.", "On duty: 01632 960100", "MASH, 01632 960123", "The chair, 01632 960199",
                 "Alice Brennan", "Carol Vaughan-Ŵyn", "Ring 999"):  # fmt: skip
        assert word in page, word
    assert "Dave Pritchard, Teacher" not in page and TEXT.split("\n")[0] not in page


@pytest.mark.parametrize("who", ["ira", "mark", "carol", "dave"])
def test_nobody_else_changes_where_a_report_goes(cast, school, who):
    made, person = guidance(), getattr(cast, who)
    person.get("/")
    data = {"text": "Ring me.", "duty": "666", "numbers": "", "elsewhere": ""}
    for path in ("/guidance/new/", f"/guidance/edit/?id={made.id}"):
        assert person.post(path, data).status_code == 403
    assert Guidance.get().duty == "01632 960100"


def test_one_for_all_and_one_for_a_school_of_its_own(cast, school):
    made, north = guidance(), Setting.create(name="North", telephone="01632 960001")
    own = guidance(setting=north, duty="01632 960002")
    assert Guidance.of(north.id) == own and Guidance.of(None) == made == Guidance.of(999)
    assert "North, 01632 960001" in own.ring
    with pytest.raises(Refused):
        Guidance().check()
    cast.alice.get("/guidance/new/")
    page = cast.alice.post("/guidance/new/", {"text": "x", "duty": "", "elsewhere": "y"})
    assert page.status_code == 422 and Guidance.select().count() == 2


def test_the_team_is_who_triages_there(school):
    south = Setting.create(name="South")
    UserRole.delete().where(UserRole.user == school.carol).execute()
    team = Role.get(Role.name == "Safeguarding team")
    UserRole.create(user=school.carol, role=team, setting=Setting.create(name="North"))
    assert school.carol.name not in [one.name for one in Guidance.team(south.id)]
    assert school.alice.name in [one.name for one in Guidance.team(south.id)]
    User.update(active=False).where(User.id == school.alice.id).execute()
    assert school.alice.name not in [one.name for one in Guidance.team(south.id)]


def test_the_paper_form_is_one_page_with_the_numbers(cast, school):
    import io

    import pypdf

    guidance()
    answer = cast.dave.get("/paper-form/")
    assert answer.mimetype == "application/pdf"
    assert len(pypdf.PdfReader(io.BytesIO(answer.data)).pages) == 1
    text = poppler.text(answer.data)
    for word in ("What happened", "The child’s own words", "Written at", "01632 960100", "999", "Alice Brennan", "LADO"):  # fmt: skip
        assert word in text.replace("\n", " "), word
    assert not any(child.name in text for child in school.children)
    page = poppler.picture(answer.data)
    dark = [
        point < 128 for point in page.crop((60, 340, page.width - 60, 560)).get_flattened_data()
    ]
    assert sum(dark) / len(dark) < 0.02, "room to write what happened"


def test_even_with_a_long_team_it_stays_one_page(cast, school):
    import io

    import pypdf

    guidance(elsewhere="\n".join(f"Line {number}, with a number 01632 960{number:03}" for number in range(8)))  # fmt: skip
    for number in range(12):
        user = User.create(name=f"Deputy Number {number} Featherstonehaugh", email=f"d{number}@thornley.example")  # fmt: skip
        UserRole.create(user=user, role=Role.get(Role.name == "Safeguarding team"))
    answer = cast.dave.get("/paper-form/")
    assert len(pypdf.PdfReader(io.BytesIO(answer.data)).pages) == 1


def test_what_stood_on_paper_is_entered_with_its_own_times(cast, school, answers):
    cast.dave.get("/incident/new/")
    paper = {"written_at": "2026-03-04T10:00", "written_by": "Eve Long, lunchtime supervisor"}
    page = cast.dave.post("/incident/new/", answers | paper)
    incident = Incident.get()
    assert (incident.written_by, incident.reported_by) == (paper["written_by"], school.dave)
    assert incident.written_at.hour == 10 and (now() - incident.reported_at).seconds < 60
    assert "Eve Long" in page.text_only and "Dave Pritchard" in page.text_only
    line = incident.line()
    assert line.who == "reported by Eve Long, lunchtime supervisor, entered by Dave Pritchard"


@pytest.mark.parametrize(
    ("paper", "said"),
    [
        ({"written_by": "Eve Long"}, "Give the time that stands on the paper"),
        ({"written_at": "2026-03-04T10:00"}, "Give the name of who wrote it"),
        ({"written_at": "2026-03-04T09:10", "written_by": "Eve Long"}, "after it was written"),
        ({"written_at": "2999-03-04T09:10", "written_by": "Eve Long"}, "in the future"),
    ],
)
def test_paper_that_contradicts_itself(cast, school, answers, paper, said):
    cast.dave.get("/incident/new/")
    page = cast.dave.post("/incident/new/", answers | paper)
    assert page.status_code == 422 and said in page.text_only and not Incident.select().exists()


def test_an_old_report_is_as_it_was(school):
    incident = report(school)
    assert incident.written_at is None and incident.reporter == "Dave Pritchard"
