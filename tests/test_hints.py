"""Writing hints: what raises them, what a press does, that they never stop anybody, and that they
tell nobody who is on roll.
"""

import random
import re
import time
from collections import Counter
from html import unescape
from io import BytesIO

import pytest

from models import (
    Abbreviation,
    Attachment,
    Child,
    Draft,
    Event,
    Incident,
    Involved,
    Setting,
    UserRole,
)
from models.case.hints import FIELDS, RULES, Known, hints_of, mended

from .bench import hints
from .bench.hints import GLOSSARY, KNOWN, SENTENCES, measure, ratio
from .person import form_of
from .test_queries import counted

LINKED = Known(
    children=("Zofia Łukasiewicz", "Jayden Brown"),
    adults=("Helen Price",),
    glossary=GLOSSARY,
    parts=("Affected", "Witness"),
    find=KNOWN.find,
)


def given(text, field="what_happened", known=LINKED, **others):
    return hints_of({field: text, **others}, known)


def kinds(text, **more):
    return [(hint.kind, hint.words) for hint in given(text, **more)]


def press(text, says, **others):
    """The fields after the press that says so, on the only hint that offers it."""
    texts = {"what_happened": text, **others}
    mends = [mend for hint in hints_of(texts, LINKED) for mend in hint.mends if mend.says == says]
    assert len(mends) == 1, [m.says for hint in hints_of(texts, LINKED) for m in hint.mends]
    return mended(texts, mends[0])


@pytest.mark.parametrize("kind", RULES)
def test_precision_and_recall_of_each_hint(kind, measured):
    counts, wrong = measured
    one, said = counts[kind], "\n".join(line for line in wrong if line.startswith(kind))
    assert len(SENTENCES["sentences"]) > 500 and one["expected"] >= 10
    assert ratio(one["right"], one["hints"]) >= 0.9, said
    assert ratio(one["found"], one["expected"]) >= 0.8, said


@pytest.fixture(scope="module")
def measured():
    return measure()


def test_make_bench_prints_them(capsys):
    hints.main()
    said = capsys.readouterr().out
    assert all(kind in said for kind in RULES) and "100 kB" in said


def test_a_clean_sentence_raises_nothing():
    raised = [
        (text, kind, words)
        for text, *expected in SENTENCES["sentences"]
        if not expected
        for kind, words in kinds(text, known=KNOWN)
    ]
    assert len(raised) <= 2, raised


def test_initials_are_the_full_names_of_those_who_are_linked():
    text = "JB hit her. Later I saw JB’s bag. H.P. was there."
    assert kinds(text) == [("initials", "JB"), ("initials", "H.P.")]
    assert press(text, "Write Jayden Brown, 2 times") == {
        "what_happened": "Jayden Brown hit her. Later I saw Jayden Brown’s bag. H.P. was there."
    }
    offered = [mend.says for mend in given("Pupil A ran off.")[0].mends]
    assert offered == ["Write Zofia Łukasiewicz", "Write Jayden Brown"]
    assert not given("QX hit her.")[0].mends, "nobody whom it may mean is linked"


def test_a_sentence_moves_whole_to_the_professional_view():
    text = "He fell at 9:05. I think he was pushed. I rang home."
    says = "Move the sentence to your professional view"
    assert press(text, says) == {
        "what_happened": "He fell at 9:05. I rang home.",
        "opinion": "I think he was pushed.",
    }
    assert press(text, says, opinion="He is thin.")["opinion"] == (
        "He is thin.\nI think he was pushed."
    )
    assert not given("I think he was pushed.")[0].mends, "nothing else would be left"
    assert kinds("I think so.", field="opinion") == [], "there it is in its place"
    ends = press("He fell. I think he was pushed.\nI rang home.", says)
    assert ends["what_happened"] == "He fell.\nI rang home."


def test_what_is_vague_is_said_to_be_all_that_is_known():
    for text, says, after in (
        ("He came recently.", "Add “(exact time not known)”", "He came recently (exact time not known)."),
        ("He has several marks.", "Add “(not counted)”", "He has several (not counted) marks."),
        ("A big bruise.", "Add “(not measured)”", "A big bruise (not measured)."),
        ("I was told that she left.", "Add “by Helen Price”", "I was told by Helen Price that she left."),
        ("I was told that she left.", "Add “(by whom is not known)”", "I was told (by whom is not known) that she left."),
    ):  # fmt: skip
        assert press(text, says) == {"what_happened": after}
        assert not given(after), "and it is not asked again"


def test_speech_gets_quotation_marks_and_goes_to_the_childs_own_words():
    text = "Zofia said my tummy hurts."
    assert press(text, "Put quotation marks: “my tummy hurts”") == {
        "what_happened": "Zofia said “my tummy hurts”."
    }
    both = press(text, "Put them, and copy the words to the child’s own words", child_words="“No.”")
    assert both == {
        "what_happened": "Zofia said “my tummy hurts”.",
        "child_words": "“No.”\n“my tummy hurts”",
    }
    assert not given(both["what_happened"])
    mum = given("Mum said I can't come today.")[0]
    assert len(mum.mends) == 1, "a mother's words are not the child's"
    said = press("She said that she fell.", "Add “(not word for word)”")
    assert said == {"what_happened": "She said (not word for word) that she fell."}
    assert not given(said["what_happened"])


def test_what_a_child_said_is_left_alone():
    words = "“JB always hits me, I think he is naughty”"
    assert not hints_of({"child_words": words, "questions_asked": words}, LINKED)
    assert not given(f"She said: {words}.")


@pytest.mark.parametrize(
    "text",
    [
        "I will mark the books in May and hope for the best. May I ask? We said grace.",
        "Year 6 (6B, Y6) were in PE; the TV and the UK map are in room B. OK.",
        "Samuel L. Jackson and J. Brown are on the poster; Jayden L Brown is not.",
        "Mr Brown and Ms Price went out. Rose bushes grow there. Guy ropes held the tent.",
        "HE HIT HER AND RAN AWAY. SHE CRIED AND WENT HOME WITH HER MUM AT 3.",
        "I saw it clearly. There was a clear view. She had had to lie down, and was lying in bed.",
        "At 9.30 a.m. on 4.3.2026 Mr. Price rang. No. 4 is her house, i.e. the red one.",
    ],
)
def test_these_raise_nothing(text):
    assert kinds(text, known=KNOWN) == []


def test_the_glossary_knows_what_the_school_writes():
    assert kinds("We asked the OPAL lead.") == [("jargon", "OPAL")]
    assert not given("We asked the OPAL lead.", known=LINKED._replace(glossary=frozenset(["OPAL"])))
    assert not given("Two TAs and the SENCO’s deputy.")


def test_a_long_sentence_begins_anew_and_a_long_paragraph_is_broken():
    text = "I was at the gate when the bus came and " + "the boys got off and " * 14 + "left."
    hint = next(one for one in given(text) if one.kind == "long")
    after = mended({"what_happened": text}, hint.mends[0])["what_happened"]
    assert [word.lower() for word in re.findall(r"\w+", after) if word.lower() != "and"] == [
        word.lower() for word in re.findall(r"\w+", text) if word != "and"
    ], "no word is lost but some “and”"
    assert not [one for one in given(after) if one.kind == "long"]
    text = "He sat down at the table by the door and wrote his name. " * 30
    hint = next(one for one in given(text) if one.kind == "long")
    after = mended({"what_happened": text}, hint.mends[0])["what_happened"]
    assert after.split() == text.split() and after.count("\n") == 5


# properties, on texts that nobody would write

PIECES = [
    *(text for text, *_expected in SENTENCES["sentences"]),
    *("JB", "J.B.", "“", "”", '"', "'", "‘", "’", "«", "»", "…", "!", "?", ".", ",", "I", "A", "al"),
    *("\n", "\r", "\t", "\x01", "\x1f", "\x7f", "\u200d", "\u202e", "\ufeff", "\ud7ff", "e\u0301"),
    *("👩‍👩‍👧", "🇬🇧", "مرحبا", "שלום", "山田 花子", "ﬁ", "İ", "ß", "ŉ", "ǅ", "said", "told me", "was told", "big"),
]  # fmt: skip


def letters(texts):
    """How often each letter stands there, capital or not."""
    return Counter(letter for text in texts.values() for letter in text.lower() if letter.strip())


def strange(seed):
    one = random.Random(seed)
    text = "".join(one.choice(PIECES) + one.choice(["", " "]) for _ in range(one.randint(1, 40)))
    if one.random() < 0.3:
        text = "".join(one.sample(text, len(text)))
    return text


@pytest.mark.parametrize("seed", range(300))
def test_no_text_breaks_a_hint_and_a_press_does_what_it_says(seed):
    texts = {name: strange(seed * 7 + number) for number, name in enumerate(FIELDS)}
    texts["child_words"] = strange(seed * 7 + 6)
    before = dict(texts)
    found = hints_of(texts, KNOWN)
    assert texts == before, "nothing is changed unasked"
    assert len({hint.key for hint in found}) == len(found)
    for hint in found:
        text = texts[hint.field]
        assert 0 <= hint.start < hint.end <= len(text) and text[hint.start : hint.end] == hint.words
        assert hint.words.strip() and hint.why and hint.name
        for mend in hint.mends:
            spots = sorted((field, start, end) for field, start, end, _new in mend.edits)
            for (field, start, end), after in zip(spots, [*spots[1:], None], strict=False):
                assert 0 <= start <= end <= len(texts[field])
                assert not after or after[0] != field or after[1] >= end
            changed = mended(texts, mend)
            assert bool(changed) != bool(mend.link), "it does one thing, and something"
            lost = letters(texts) - letters(texts | changed)
            if hint.kind == "long":
                assert set(lost) <= set("and,"), "“and”, where a sentence begins anew"
            elif hint.kind != "initials":  # those alone give their place to something else
                assert not lost


@pytest.mark.parametrize(
    "piece",
    ["“", '"', "'a ", "‘", "J.", "JB ", "Jayden ", "a", "\n", "he said I am ", "for ", "a bully ",
     "was told ", "said ", "and he ", "big ", "should have ", "e\u0301", "a'", "a-", "1", "👩‍👩‍👧", "مرحبا ", "Tomasz "],
)  # fmt: skip
def test_no_text_takes_long(piece):
    text = (piece * 40_000)[:40_000]
    began = time.process_time()
    hints_of({"what_happened": text}, KNOWN)
    assert time.process_time() - began < 2, "a fraction of a second is usual"


def test_a_name_is_looked_for_a_few_times_only():
    asked = []

    def find(typed):
        asked.append(typed)
        return []

    text = ". ".join(f"I saw Abc{chr(97 + n % 26)}{chr(97 + n // 26)} Xyz there" for n in range(90))
    hints_of({"what_happened": text}, LINKED._replace(find=find))
    assert len(asked) == 20, "a list of names does not read out the roll"


# the page


def sent(page):
    """What the form of the page would send when Save is pressed: {name: value}."""
    form = page.text[page.text.index('id="writing"') :].split("</form>")[0]
    found = {}
    for tag in re.findall(r"<input[^>]*>", form):
        at = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if at.get("type") in ("radio", "checkbox") and " checked" not in tag:
            continue
        if "name" in at and at.get("type") != "file":
            found.setdefault(at["name"], unescape(at.get("value", "")))
    for name, text in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', form, re.S):
        found[name] = unescape(text).lstrip("\r\n")
    for name, body in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r"<option([^>]*) selected[^>]*>([^<]*)", body)
        value = chosen and re.search(r'value="([^"]*)"', chosen[0])
        found[name] = unescape(value[1] if value else chosen[2]) if chosen else ""
    return found


def send(person, page, **more):
    """Press Save on the page, or what `more` has of another button."""
    return person.post(form_of(page), sent(page) | more)


def presses(page):
    """{what a press says: what it sends} of the hints on the page."""
    found = re.findall(r'name="mend" value="([^"]+)"[^>]*>(.+?)</button>', page.text, re.S)
    return {unescape(re.sub("<[^>]+>", "", says)).strip(): unescape(one) for one, says in found}


HINTED = "JB pushed Zofia at 9:05. I think he was cross. Jayden Brown fell."


@pytest.fixture
def jayden(school):
    child = Child.create(
        name="Jayden Brown", date_of_birth=school.child.date_of_birth, year="Year 8"
    )
    Event.write("child:add", child, None)
    return child


def asked(person, answers, **more):
    """The first press of Save, by somebody whose page asks for hints."""
    page = person.get("/incident/new/")
    assert sent(page)["hints"] == "once"
    return send(person, page, **answers | more)


def test_hints_are_shown_once_and_save_anyway_saves(cast, school, answers):
    page = asked(cast.dave, answers, what_happened=HINTED)
    assert page.status_code == 200 and not Incident.select().count()
    assert "Not saved yet: 2 hints" in page.text_only and "Save anyway" in page.text_only
    assert sent(page)["what_happened"] == HINTED and "hints" not in sent(page)
    kept = dict(Draft.get(Draft.user == school.dave).fields)
    assert kept["what_happened"] == HINTED and "hints" not in kept, "nobody loses it"
    page = send(cast.dave, page)
    assert "Saved as INC-" in page.text_only and Incident.get().what_happened == HINTED
    assert not Draft.select().count()


def test_back_and_save_again_does_not_save_twice(cast, school, answers):
    page = cast.dave.get("/incident/new/")
    path, first = form_of(page), sent(page) | answers | {"what_happened": HINTED}
    hinted = cast.dave.post(path, first)
    for again in (sent(hinted), sent(hinted), first):
        page = cast.dave.post(path, again | {"csrf_token": cast.dave.token})
    assert "This was saved already, once." in page.text_only
    assert Incident.select().count() == 1


def test_what_is_clean_is_saved_at_the_first_press(cast, school, answers):
    assert "Saved as INC-" in asked(cast.dave, answers).text_only


def test_a_form_that_does_not_ask_for_hints_is_saved(cast, school, answers):
    cast.dave.get("/incident/new/")
    page = cast.dave.post("/incident/new/", answers | {"what_happened": HINTED})
    assert "Saved as INC-" in page.text_only


def test_what_is_wrong_comes_before_what_is_hinted(cast, school, answers):
    page = asked(cast.dave, answers, what_happened=HINTED, place="")
    assert page.status_code == 422 and "Not saved yet" not in page.text_only
    assert sent(page)["hints"] == "once", "they are still to come"
    page = send(cast.dave, page, place="Classroom")
    assert "Save anyway" in page.text_only
    page = send(cast.dave, page, place="")
    assert page.status_code == 422 and "hints" not in sent(page)


def test_a_press_mends_and_nothing_else_changes(cast, school, jayden, answers):
    others = {"others-rows": "1", "others-0-name": jayden.label, "others-0-part": "Witness"}
    page = asked(cast.dave, answers, what_happened=HINTED, **others)
    before = sent(page)
    page = send(cast.dave, page, mend=presses(page)["Write Jayden Brown"])
    assert "Done: Write Jayden Brown." in page.text_only
    after = sent(page)
    assert after["what_happened"] == HINTED.replace("JB", "Jayden Brown")
    same = {"what_happened", "csrf_token", "drawn", "others-rows"}
    assert {k: v for k, v in after.items() if k not in same} == {
        k: v for k, v in before.items() if k not in same
    }
    move = presses(page)["Move the sentence to your professional view"]
    page = send(cast.dave, page, mend=move)
    assert sent(page)["opinion"] == "I think he was cross."
    assert "nothing is left to hint at" in page.text_only and not Incident.select().count()
    assert dict(Draft.get(Draft.user == school.dave).fields)["opinion"] == "I think he was cross."
    page = send(cast.dave, page)
    assert "Saved as INC-" in page.text_only
    assert Incident.get().what_happened == "Jayden Brown pushed Zofia at 9:05. Jayden Brown fell."
    assert Incident.get().opinion == "I think he was cross."


def test_a_press_on_a_text_that_was_changed(cast, school, answers):
    page = asked(cast.dave, answers, what_happened=HINTED)
    move = presses(page)["Move the sentence to your professional view"]
    page = send(cast.dave, page, what_happened=f"At noon. {HINTED}", mend=move)
    assert sent(page)["opinion"] == "I think he was cross.", "the words are found where they are"
    for odd in (move, "", ":", "what_happened.opinion.0.1:²", move[:-1] + "77", "x" * 5_000):
        page = send(cast.dave, page, mend=odd)
        assert "The text was changed since." in page.text_only
        assert sent(page)["what_happened"].startswith("At noon. JB pushed")
    assert not Incident.select().count()


def test_a_press_saves_nothing_even_where_something_is_wrong(cast, school, answers):
    page = asked(cast.dave, answers, what_happened=HINTED)
    move = presses(page)["Move the sentence to your professional view"]
    page = send(cast.dave, page, mend=move, place="", child="Nobody Here")
    assert page.status_code == 200 and sent(page)["child"] == "Nobody Here"
    assert "fits no child" not in page.text_only, "nothing is judged until Save is pressed"
    assert send(cast.dave, page).status_code == 422
    assert not Incident.select().count()


def test_a_press_links_the_child_who_is_named(cast, school, jayden, answers):
    page = asked(cast.dave, answers, what_happened="Jayden Brown held the door.")
    link = presses(page)["Link Jayden Brown, Year 8, as: Witness"]
    page = send(cast.dave, page, mend=link)
    assert "nothing is left to hint at" in page.text_only
    assert sent(page)["others-0-name"] == jayden.label
    page = send(cast.dave, page)
    assert "Saved as INC-" in page.text_only
    assert [(one.child, one.part) for one in Involved.select()] == [(jayden, "Witness")]


def test_a_file_that_was_chosen_comes_back_with_the_hints(cast, school, answers):
    page = asked(cast.dave, answers, what_happened=HINTED, files=(BytesIO(b"A note."), "note.txt"))
    assert "Not saved yet" in page.text_only and "note.txt 1 kB Leave out" in page.text_only
    page = cast.dave.post(form_of(page), sent(page))
    assert "Saved as INC-" in page.text_only and "note.txt" in page.text_only
    assert Attachment.get().read() == b"A note."


def test_a_draft_that_is_opened_again_is_hinted_anew(cast, school, answers):
    page = asked(cast.dave, answers, what_happened=HINTED)
    page = cast.dave.get(form_of(page))
    assert sent(page)["what_happened"] == HINTED and sent(page)["hints"] == "once"


def test_the_hint_names_nobody_whom_the_form_would_not(cast, school, answers):
    """For each text: who is named by the hints, and who is when the same is typed as a child."""
    rows = ["Ann Lee", "Anna Leeson", "Hannah Leek", "Old Pupil"]
    for name in rows:
        Child.create(name=name, date_of_birth=school.child.date_of_birth, year="Year 8")
    Child.update(left_on=school.child.date_of_birth).where(Child.name == "Old Pupil").execute()
    for name in ("Ann Lee", "Hannah", "Old Pupil", "Nobody Known", "Siôn", "Kamau", "Ngũgĩ"):
        page = asked(cast.dave, answers, what_happened=f"Then {name} came in.")
        hinted = set(re.findall(r"Link (.+?), as:", unescape(page.text)))
        page = cast.dave.post("/incident/new/", answers | {"child": name})
        told = unescape(page.text)
        parts = [part for label in hinted for part in label.split(", ")]  # the name, the year
        assert all(part in told for part in parts), f"{name}: {hinted}"
        assert len(hinted) <= 1 and not (name in ("Old Pupil", "Nobody Known") and hinted)
    assert "born" not in str(hinted)


def test_of_another_school_nobody_is_named(cast, school, answers):
    ours, theirs = Setting.create(name="Beck House"), Setting.create(name="Hollow Lane")
    for one in (ours, theirs):
        Event.write("setting:add", one, None)
    for child in school.children:
        child.set(setting=theirs if child.name == "Siôn Ŵyn" else ours)
        child.save()
    role = UserRole.get(UserRole.user == school.dave)
    columns = UserRole._meta.fields
    assert "setting" in columns
    role.setting = ours
    role.save()
    page = asked(cast.dave, answers, what_happened="Siôn Ŵyn held the door. Ngũgĩ wa Kamau ran.")
    assert "Link Ngũgĩ wa Kamau" in unescape(page.text)
    assert "Link Siôn" not in unescape(page.text) and "Hollow" not in page.text


def test_the_glossary_of_the_school_is_asked(cast, school, answers):
    text = "The OPAL lead saw her at 9:05."
    assert "“OPAL”" in asked(cast.dave, answers, what_happened=text).text_only
    Abbreviation.create(short="OPAL", meaning="outdoor play and learning")
    assert "Saved as INC-" in asked(cast.dave, answers, what_happened=text).text_only


def test_a_reporter_alone_gets_hints(cast, school):
    assert cast.ira.post("/incident/new/", {"hints": "once", "mend": "x"}).status_code == 403


def test_a_report_full_of_names_costs_no_more_than_a_few_queries(cast, school, answers):
    names = " ".join(f"I saw Abc{chr(97 + n)} Xyz there." for n in range(26))
    costs = []
    for text in (HINTED, f"{HINTED} {names}"):
        asked(cast.dave, answers, what_happened=text)
        with counted() as queries:
            cast.dave.post("/incident/new/", answers | {"what_happened": text, "hints": "once"})
        costs.append(len(queries))
    assert costs[1] - costs[0] <= 40
