"""Two people at one record, and one person twice: the second saver sees both texts, and nobody's
text is lost or silently changed.
"""

from datetime import UTC, datetime, timedelta

import pytest
from lxml import html

from models import Assignee, Event, Log, Role, Section, Tracker, User
from models.ground.clock import at, now

from .conftest import answer_to

pytestmark = pytest.mark.both


def opened(person, path):
    """The form at `path` as a browser sends it back: {name: value}."""
    return sent_by(person.get(path))


def sent_by(page):
    form, fields = (
        next(form for form in html.fromstring(page.text).forms if "opened" in form.fields),
        {},
    )
    for name, value in form.form_values():
        fields.setdefault(name, []).append(
            value.removeprefix("\n")
        )  # as browsers drop the first line break
    return {name: values if len(values) > 1 else values[0] for name, values in fields.items()}


def test_the_second_of_two_savers_sees_both_texts_and_loses_nothing(cast, log, school):
    cast.alice.get(f"/log/edit/?id={log.id}")
    version = Log.get().version
    log.edit(school.carol, summary="Carol’s text")
    page = cast.alice.post(
        f"/log/edit/?id={log.id}",
        {"version": version, "setting": log.setting, "summary": "Alice’s text"},
    )
    assert (
        page.status_code == 409
        and "Carol’s text" in page.text
        and "Alice’s text" in page.text
        and Log.get().summary == "Carol’s text"
    )
    page = cast.alice.post(
        f"/log/edit/?id={log.id}",
        {"version": Log.get().version, "setting": log.setting, "summary": "Alice’s text"},
    )
    assert page.status_code == 200 and Log.get().summary == "Alice’s text"
    assert Event.last(log, "log:edit").detail["changed"]["summary"] == [
        "Carol’s text",
        "Alice’s text",
    ]


def test_what_only_one_of_two_savers_touched_is_kept_from_both(cast, log, school):
    path = f"/log/edit/?id={log.id}"
    carols, alices = opened(cast.carol, path), opened(cast.alice, path)
    cast.alice.post(path, alices | {"kind": "Other serious event", "told_reference": "CR-7"})
    page = cast.carol.post(path, carols | {"summary": "A red mark.", "told_reference": "CR-8"})
    assert (
        page.status_code == 409
        and "Alice Brennan saved this while you were writing." in page.text_only
    )
    assert page.text.count("You both changed this.") == 2, (
        "the one field, at the top and at the field"
    )
    again = sent_by(page)
    assert (
        again["kind"] == "Other serious event"
        and again["summary"] == "A red mark."
        and again["told_reference"] == "CR-8"
    )
    assert cast.carol.post(path, again).status_code == 200
    saved = Log.get()
    assert (saved.kind, saved.summary, saved.told_reference) == (
        "Other serious event",
        "A red mark.",
        "CR-8",
    )
    assert set(Event.last(log, "log:edit").detail["changed"]) == {"summary", "told_reference"}


def test_a_mistake_in_the_form_does_not_hide_that_a_colleague_saved(cast, log, school):
    path = f"/log/edit/?id={log.id}"
    form = opened(cast.alice, path)
    log.edit(school.carol, summary="Carol’s text")
    page = cast.alice.post(path, form | {"summary": "Alice’s text", "told_at": "nonsense"})
    assert page.status_code == 422
    page = cast.alice.post(path, sent_by(page) | {"told_at": ""})
    assert (
        page.status_code == 409
        and "Carol’s text" in page.text
        and Log.get().summary == "Carol’s text"
    )


def test_saving_what_nobody_changed_is_no_change(cast, log):
    with at(now() + timedelta(seconds=7)):
        path = f"/log/edit/?id={log.id}"
        assert (
            cast.alice.post(path, opened(cast.alice, path) | {"summary": "A red mark."}).status_code
            == 200
        )
    assert (
        list(Event.last(log, "log:edit").detail["changed"]) == ["summary"]
        and Log.get().aware_at == log.aware_at
    )


def test_who_is_assigned_is_not_undone_by_an_older_form(cast, log, school):
    path = f"/log/edit/?id={log.id}"
    form = opened(cast.alice, path)
    log.assign([school.connor], school.mark)
    page = cast.alice.post(path, form | {"summary": "A red mark."})
    assert (
        page.status_code == 409
        and "Mark Kowalczyk saved this" in page.text_only
        and "You both" not in page.text_only
    )
    assert (
        cast.alice.post(path, sent_by(page) | {"assigned": str(school.connor.id)}).status_code
        == 200
    )
    assert (
        school.connor in [row.user for row in Assignee.of(Log.get())]
        and Log.get().summary == "A red mark."
    )


def test_who_both_assigned_is_shown_by_name(cast, log, school):
    path = f"/log/edit/?id={log.id}"
    form = opened(cast.alice, path)
    log.assign([school.connor], school.mark)
    page = cast.alice.post(path, form | {"assigned": str(school.carol.id)})
    assert page.status_code == 409
    theirs = html.fromstring(page.text).find_class("theirs")
    assert [school.connor.name in box.text_content() for box in theirs] == [True]


def test_after_a_rule_said_no_a_later_change_is_seen_too(cast, log, school):
    """What was taken over from the first colleague is not taken for one’s own when a second one
    undoes it.
    """
    path = f"/log/edit/?id={log.id}"
    form = opened(cast.alice, path)
    log.assign([school.connor], school.mark)
    page = cast.alice.post(path, form | {"told_at": "2099-01-01T10:00"})
    page = cast.alice.post(path, sent_by(page) | {"assigned": str(school.connor.id)})
    assert page.status_code == 422 and "This is in the future." in page.text_only
    log.assign([], school.mark)
    page = cast.alice.post(path, sent_by(page) | {"assigned": str(school.connor.id), "told_at": ""})
    assert page.status_code == 409 and school.connor not in [
        row.user for row in Assignee.of(Log.get())
    ]


def test_a_time_with_seconds_that_a_colleague_corrected_stays_corrected(cast, log, school):
    path, hour_before = f"/log/edit/?id={log.id}", now() - timedelta(hours=1)
    Log.update(aware_at=hour_before.replace(second=7)).execute()
    form = opened(cast.alice, path)
    Log.get().edit(school.carol, aware_at=hour_before - timedelta(minutes=5))
    page = cast.alice.post(path, form | {"summary": "A red mark."})
    assert page.status_code == 409 and "You both" not in page.text_only
    assert cast.alice.post(path, sent_by(page)).status_code == 200
    assert (
        Log.get().aware_at == hour_before - timedelta(minutes=5)
        and Log.get().summary == "A red mark."
    )


def test_nobody_moves_a_time_of_the_night_when_the_clocks_go_back(cast, log):
    second_half_past_one = datetime(2025, 10, 26, 1, 30, 7, tzinfo=UTC)
    Log.update(aware_at=second_half_past_one).execute()
    path = f"/log/edit/?id={log.id}"
    assert (
        cast.alice.post(path, opened(cast.alice, path) | {"summary": "A red mark."}).status_code
        == 200
    )
    assert Log.get().aware_at == second_half_past_one and list(
        Event.last(log, "log:edit").detail["changed"]
    ) == ["summary"]


def test_a_colleagues_correction_of_that_night_stays(cast, log, school):
    Log.update(aware_at=datetime(2025, 10, 26, 1, 30, 7, tzinfo=UTC)).execute()
    path, corrected = f"/log/edit/?id={log.id}", datetime(2025, 10, 25, 18, 0, tzinfo=UTC)
    form = opened(cast.alice, path)
    Log.get().edit(school.carol, aware_at=corrected)
    page = cast.alice.post(path, form | {"summary": "A red mark."})
    assert page.status_code == 409 and "You both" not in page.text_only
    assert (
        cast.alice.post(path, sent_by(page)).status_code == 200 and Log.get().aware_at == corrected
    )


def test_a_role_saved_untouched_is_no_change(cast, school):
    role = Role.get(Role.name == "DSL")
    path, before = (
        f"/role/edit/?id={role.id}",
        Event.select().where(Event.verb == "role:edit").count(),
    )
    assert cast.ira.post(path, opened(cast.ira, path)).status_code == 200
    assert (
        Event.select().where(Event.verb == "role:edit").count() == before
        and cast.alice.lands("/") == "/"
    )


def test_who_has_left_stays_where_they_were_named(cast, log, school):
    log.assign([school.connor], school.mark)
    User.update(active=False).where(User.id.in_([school.mark.id, school.connor.id])).execute()
    path = f"/log/edit/?id={log.id}"
    form = opened(cast.alice, path)
    assert form["decided_by"] == school.mark.label
    assert cast.alice.post(path, form | {"summary": "A red mark."}).status_code == 200
    assert Log.get().decided_by == school.mark and not Event.last(log, "log:assign").detail.get(
        "taken_off"
    )
    assert school.connor in [row.user for row in Assignee.of(log)]


def test_somebody_who_leaves_while_being_assigned_costs_no_text(cast, log, school):
    path = f"/log/edit/?id={log.id}"
    form = opened(cast.alice, path)
    User.update(active=False).where(User.id == school.connor.id).execute()
    page = cast.alice.post(
        path, form | {"summary": "A red mark.", "assigned": str(school.connor.id)}
    )
    assert (
        page.status_code == 422
        and "or has left, so cannot be assigned" in page.text_only
        and "A red mark." in page.text
    )
    assert Log.get().summary is None


def test_two_of_one_name_are_two(cast, log, school):
    teacher, caretaker = (
        User.create(
            name="John Smith",
            job_title=title,
            email=f"{title}@thornley.example",
            fs_uniquifier=title,
        )
        for title in ("teacher", "caretaker")
    )
    log.edit(school.carol, told_by=teacher)
    path = f"/log/edit/?id={log.id}"
    form = opened(cast.alice, path)
    Log.get().edit(school.carol, told_by=caretaker)
    assert Event.last(log, "log:edit").detail["changed"]["told_by"] == [
        teacher.label,
        caretaker.label,
    ]
    page = cast.alice.post(path, form | {"summary": "A red mark."})
    assert page.status_code == 409 and sent_by(page)["told_by"] == caretaker.label


def test_a_form_of_an_earlier_version_without_marks_shows_both(cast, log, school):
    path = f"/log/edit/?id={log.id}"
    form = {name: value for name, value in opened(cast.alice, path).items() if name != "opened"}
    page = cast.alice.post(path, form | {"summary": "Alice’s text", "told_at": "nonsense"})
    log.edit(school.carol, summary="Carol’s text")
    page = cast.alice.post(path, sent_by(page) | {"told_at": ""})
    assert (
        page.status_code == 409
        and "Carol’s text" in page.text
        and "You both changed this." in page.text_only
    )


def test_what_changed_elsewhere_on_the_record_stops_nobody(cast, log, school):
    path = f"/log/edit/?id={log.id}"
    form = opened(cast.alice, path)
    Tracker.begin(log, school.carol)
    assert (
        cast.alice.post(path, form | {"summary": "A red mark."}).status_code == 200
        and Log.get().summary == "A red mark."
    )


def test_a_log_signed_off_meanwhile_says_so(cast, school, ready):
    path = f"/log/edit/?id={ready.id}"
    form = opened(cast.carol, path)
    ready.complete(by=school.mark)
    page = cast.carol.post(path, form | {"summary": "Typed too late"})
    assert (
        page.status_code == 422
        and "is completed and read-only" in page.text_only
        and "Typed too late" in page.text
    )


def test_a_draft_can_be_thrown_away(cast, log):
    path = f"/log/edit/?id={log.id}"
    cast.alice.post(path, opened(cast.alice, path) | {"summary": "Not this", "draft": "1"})
    assert (
        "Not this" in cast.alice.get(path).text
        and "Throw the draft away" in cast.alice.get(path).text
    )
    page = cast.alice.post(path, opened(cast.alice, path) | {"draft": "away"})
    assert (
        "Not this" not in page.text
        and "Throw the draft away" not in page.text
        and "Throw" not in cast.alice.get(path).text
    )


def test_a_draft_does_not_overwrite_what_a_colleague_saved_meanwhile(cast, log, school):
    cast.alice.get(f"/log/edit/?id={log.id}")
    cast.alice.post(
        f"/log/edit/?id={log.id}",
        {
            "version": Log.get().version,
            "setting": log.setting,
            "summary": "Alice’s draft",
            "draft": "1",
        },
    )
    old = Log.get().version
    log.edit(school.carol, summary="Carol’s text")
    page = cast.alice.get(f"/log/edit/?id={log.id}")
    assert "Alice’s draft" in page.text and f'name="version" value="{old}"' in page.text
    page = cast.alice.post(
        f"/log/edit/?id={log.id}",
        {"version": old, "setting": log.setting, "summary": "Alice’s draft"},
    )
    assert (
        page.status_code == 409
        and "Carol’s text" in page.text
        and Log.get().summary == "Carol’s text"
    )
    assert f'name="version" value="{Log.get().version}"' in page.text, "saved once more, it counts"


def test_two_people_in_one_section(cast, school, tracker):
    section = tracker.in_order()[0]
    name = f"q{section.questions[0]['id']}"
    for person in (cast.alice, cast.carol):
        person.get(f"/section/edit/?id={section.id}")
    cast.carol.post(
        f"/section/edit/?id={section.id}", {"version": section.version, name: "Carol’s answer"}
    )
    page = cast.alice.post(
        f"/section/edit/?id={section.id}", {"version": section.version, name: "Alice’s answer"}
    )
    assert (
        page.status_code == 409 and "Carol’s answer" in page.text and "Alice’s answer" in page.text
    )
    assert Section.get_by_id(section.id).answers[name[1:]] == "Carol’s answer"


def test_rows_that_a_colleague_took_out_cost_nobody_their_text(cast, school, tracker):
    section, table = next(
        (s, q) for s in tracker.in_order() for q in s.questions if q["kind"] == "table of rows"
    )
    text = next(q for q in section.questions if q["kind"] in ("long text", "short text"))
    section.save_answers({table["id"]: answer_to(table)}, school.carol)
    path = f"/section/edit/?id={section.id}"
    form = opened(cast.alice, path)
    Section.get_by_id(section.id).save_answers({table["id"]: []}, school.carol)
    page = cast.alice.post(path, form | {f"q{text['id']}": "Alice’s text"})
    assert page.status_code == 409 and "Alice’s text" in page.text
