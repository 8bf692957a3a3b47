"""A page costs the same number of queries however many rows there are, and a list of 50 rows is
light.
"""

from contextlib import contextmanager

import pytest

from models import Assignee, Event, Incident, Involved, Log, Notice, db
from models.ground.clock import now

from .conftest import answer_all, report


@contextmanager
def counted():
    """The SQL statements run within the block."""
    statements, plain = [], db.obj.execute_sql

    def execute_sql(sql, *args, **kwargs):
        statements.append(sql)
        return plain(sql, *args, **kwargs)

    db.obj.execute_sql = execute_sql
    try:
        yield statements
    finally:
        db.obj.execute_sql = plain


def fill(school, rows):
    """Rows straight into the tables: this is about reading them."""
    have = Incident.select().count()
    moment = now()
    with db.atomic():
        for number in range(have, rows):
            incident = Incident.create(
                reference=f"INC-2020-{number:04d}", status="triggered" if number % 2 else "to decide", reported_by=school.dave, reported_at=moment,
                child=school.children[number % 4], noticed_at=moment, happened="Not known", place="Classroom", known="I saw or heard it",
                what_happened="A red mark.", immediate_danger=False, immediate_action="Told the DSL.", safeguarding_alert=True, topic="Red mark on the left wrist",
            )  # fmt: skip
            if number % 2:
                log = Log.create(reference=f"OFS-2020-{number:04d}", status="open", incident=incident, triggered_by=school.mark, triggered_at=moment,
                                 setting="School", kind="Other serious event", aware_at=moment, told_at=moment)  # fmt: skip
                Assignee.create(log=log, user=school.alice, assigned_at=moment)


PAGES = ["/", "/incident/", "/incident/?search=red+mark", "/incident/?status=triggered&sort=1&page=1", "/log/", "/log/?search=zofia", "/child/",
         "/notice/", "/choice/", "/incident/new/", "/incident/export/csv/", "/log/export/csv/"]  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_from_10_to_1000_rows(cast, school, page):
    costs = []
    for rows in (10, 1000):
        fill(school, rows)
        cast.alice.get(page)  # and what the process keeps is there
        with counted() as statements:
            assert cast.alice.get(page).status_code == 200
        costs.append(len(statements))
    most = 33 if page == "/" else 25  # home asks each noun what needs one
    assert costs[0] == costs[1] <= most, (
        f"{page} costs {costs[0]} queries with 10 rows and {costs[1]} with 1,000: join in "
        "`joined`, or fetch in one query"
    )


def test_the_home_page_costs_the_same_however_many_changes_wait(cast, school):
    from models import Proposal

    costs = []
    cast.alice.get("/")
    for number in (1, 30):
        for turn in range(number):
            Proposal.create(
                kind="email",
                user=school.dave,
                value=f"d{number}-{turn}@thornley.example",
                by=school.ira,
            )
        with counted() as statements:
            assert "change the email of Dave Pritchard" in cast.alice.get("/").text
        costs.append(len(statements))
    assert costs[0] == costs[1], f"join in Proposal.joined: {costs}"


def test_one_record_with_a_long_history(cast, school, log):
    costs = []
    cast.alice.get("/")
    for more in (0, 300):
        for number in range(more):
            Event.write("log:edit", log, school.carol, {"summary": (str(number), str(number + 1))})
            if number < 40:
                Notice.create(
                    event=Event.head().id,
                    user=school.carol,
                    email="c@example.org",
                    subject="x",
                    body="x",
                )
                Involved.create(incident=log.incident, adult=school.dina, part="Present")
        for page in (
            f"/log/details/?id={log.id}",
            f"/incident/details/?id={log.incident_id}",
            f"/log/edit/?id={log.id}",
        ):
            with counted() as statements:
                assert cast.alice.get(page).status_code == 200
            costs.append(len(statements))
    assert costs[:3] == costs[3:] and max(costs) <= 36, (
        f"a record must cost the same however long its history: {costs}"
    )


def test_the_sections_of_a_tracker_cost_a_constant_number(cast, school, log, tracker):
    from .conftest import answer_all

    costs = []
    cast.alice.get("/")
    for full in (False, True):
        if full:
            answer_all(tracker, school.carol)
        with counted() as statements:
            cast.alice.get(f"/log/details/?id={log.id}")
        costs.append(len(statements))
    assert costs[0] == costs[1]


@pytest.mark.parametrize("page", ["/incident/", "/log/"])
def test_a_list_of_50_rows_weighs_at_most_40_kb(cast, school, page):
    fill(school, 120)
    text = cast.alice.get(page).data
    assert text.count(b"<tr>") == 51 and len(text) <= 40_000, f"{page} weighs {len(text)} bytes"
    assert text.count(b"<script") == 1 and b"/static/admin" not in text, (
        "our one script, and none of Flask-Admin's"
    )


def test_saving_is_one_transaction(cast, school, answers):
    cast.dave.get("/incident/new/")
    with counted() as statements:
        cast.dave.post("/incident/new/", answers, follow=False)
    begins = [sql for sql in statements if sql.startswith("BEGIN")]
    writes = [sql for sql in statements if sql.startswith(("INSERT", "UPDATE", "DELETE"))]
    assert len(writes) == 4, "the incident, its event, the draft that goes, the files held with it"
    assert begins in (["BEGIN immediate"], []), begins


def test_two_reports_at_once_get_two_references(school):
    assert report(school).reference != report(school).reference


@pytest.mark.parametrize("shown", ["incident", "log"])
def test_a_case_read_1000_times_is_light(cast, school, log, shown):
    """The latest reads and how many there are; all of them when somebody asks."""
    path = f"/{shown}/details/?id={log.incident_id if shown == 'incident' else log.id}"
    cast.alice.get(path)
    with counted() as few:
        before = cast.alice.get(path)
    with db.atomic():
        for _time in range(1_000):
            Event.write("log:read", log, school.carol)
    with counted() as many:
        page = cast.alice.get(path)
    assert len(many) <= len(few) + 1, "and only a count more"
    assert len(page.data) <= len(before.data) + 6_000
    assert "Who has read or printed this (1,003)" in page.text and "reads=all" in page.text
    assert page.text.count("read the Ofsted log: ") <= 20
    page = cast.alice.get(f"{path}&reads=all")
    assert page.text.count(f"Carol Vaughan-Ŵyn read the Ofsted log: {log}") == 1_000
    assert "triggered the notification" in page.text, "what was done is all there either way"


def test_a_list_reads_all_that_it_shows(app, cast, school):
    """`listed` and `column_list` together are the columns of a row: none of its cells is empty for
    want of one.
    """
    fill(school, 10)
    for view in app.extensions["admin"][0]._views:
        if getattr(view, "listed", ()):
            whole = {row.id: row for row in view.joined(view.model.select())}
            with app.test_request_context():
                for row in view.rows():
                    for name in view.column_list:
                        assert view.cell(row, name) == view.cell(whole[row.id], name), name
                    assert view.link(row) == view.link(whole[row.id])


def test_a_search_reads_the_words_once(cast, school):
    fill(school, 120)
    with counted() as statements:
        page = cast.alice.get("/incident/?search=RED+mark&page=1")
    assert sum("INSTR" in sql for sql in statements) == 1
    assert "120 incidents, page 2 of 3" in page.text_only and page.text.count("<tr>") == 51


@pytest.mark.only("sqlite")
def test_the_list_is_filtered_by_an_index_in_the_order_it_is_read(cast, school):
    fill(school, 10)
    cast.alice.get("/")
    for chosen in ("status=triggered", "status=triggered&place=Classroom"):
        with counted() as statements:
            cast.alice.get(f"/incident/?{chosen}")
        ids = next(sql for sql in statements if "ORDER BY" in sql and '"incident"' in sql)
        plan = db.execute_sql(f"EXPLAIN QUERY PLAN {ids}", [None] * ids.count("?")).fetchall()
        assert not any("TEMP B-TREE FOR ORDER" in row[3] for row in plan), plan


def test_columns_are_written_as_peewee_writes_them(school, monkeypatch):
    """models/ground/quick.py takes a short cut: to the very same words, in every kind of query."""
    from peewee import Column

    from models import Document, Section, User, visible
    from models.ground import quick
    from models.policy import sees

    other = User.alias()
    queries = [
        *(visible(model, school.connor) for model in (Incident, Log, Section, Document, Notice, Event)),
        Log.select(Log, *User.named(other)).join(other, on=(Log.triggered_by == other.id)),
        Incident.update(status="x", version=Incident.version + 1).where(sees(school.dave, Incident.id)),
        Incident.delete().where(Incident.id == 7),
        Incident.insert(reference="x"),
        Incident.select(Incident.id).union(Log.select(Log.id)).order_by(Incident.id),
    ]  # fmt: skip
    written = [query.sql() for query in queries]
    monkeypatch.setattr(Column, "__sql__", quick.plain)
    assert written == [query.sql() for query in queries]


def test_home_and_log_are_light_however_much_there_is(cast, school, log, tracker):
    fill(school, 400)
    answer_all(tracker, school.carol)
    for number in range(60):
        Event.write("log:edit", log, school.carol, {"summary": (str(number), f"A text {number}")})
    for page, most in (("/", 25_000), (f"/log/details/?id={log.id}", 35_000)):
        size = len(cast.alice.get(page).data)
        assert size <= most, f"{page} weighs {size} bytes: {most} at most"
    page = cast.alice.get(f"/log/details/?id={log.id}&history=all")
    assert "A text 3" in page.text and "A text 59" in page.text, "all of it on demand"
