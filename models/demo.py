"""A fictional school, told by calling the real steps at past times: the demonstration, and a test
of every step.
"""

from datetime import UTC, date, datetime, time, timedelta
from smtplib import SMTPResponseException

from models.access.proposal import Proposal
from models.case.absence import Absence
from models.case.case import Case
from models.case.child import Child, Flag
from models.case.chronology import lines
from models.case.clarification import Clarification
from models.case.contact import Contact
from models.case.entry import Entry
from models.case.extract import Extract
from models.case.feedback import Feedback
from models.case.incident import Incident
from models.case.log import Log
from models.case.mark import Mark
from models.case.relation import Relation
from models.case.school import School
from models.case.task import Task
from models.case.template import columns
from models.case.tracker import Tracker
from models.case.triage import Triage
from models.ground.clock import LONDON, at, now
from models.ground.database import transaction
from models.history.event import Event, plain
from models.history.notice import Notice
from models.people.role import Role
from models.people.user import User, UserRole
from models.policy import visible

SCHOOL = {"SCHOOL": "Hollin Bank School", "ADDRESS": "1 Hollin Bank, Thornley Beck, TB1 2ZZ", "URN": "000000", "PHONE": "01632 960 001"}
PASSWORD = "demo-hollin-bank"  # noqa: S105 - works under the demo command only
PEOPLE = [  # email, name, job title, role
    ("alice@demo.example", "Alice Brennan", "Deputy head and DSL", "DSL"),
    ("bob@demo.example", "Bob Adeyemi", "Head teacher", "Head"),
    ("mark@demo.example", "Mark Kowalczyk", "Pastoral manager", "Manager"),
    ("carol@demo.example", "Carol Vaughan-Ŵyn", "Deputy DSL", "Safeguarding team"),
    ("dave@demo.example", "Dave Pritchard", "Teacher of geography", "Staff"),
    ("dina@demo.example", "Dina El-Sayed", "Teaching assistant", "Staff"),
    ("ira@demo.example", "Ira Lindqvist", "IT technician", "IT"),
]
CHILDREN = [  # name, date of birth, year, flags
    ("Zofia Łukasiewicz", "2014-05-03", "Year 7", []), ("Ngũgĩ wa Kamau", "2012-11-19", "Year 9", ["Looked after", "Social worker allocated"]),
    ("山田 花子", "2015-02-14", "Year 6", []), ("Siôn Ŵyn", "2013-08-30", "Year 8", ["SEND support"]), ("Aoife Ní Dhomhnaill", "2011-01-22", "Year 10", []),
    ("José María Ñíguez", "2014-09-09", "Year 7", ["EHCP"]), ("Đặng Thị Hoà", "2012-04-17", "Year 9", ["Young carer"]),
    ("Þórunn Ásgeirsdóttir", "2013-12-01", "Year 7", []), ("Ολυμπία Παπαδάκη", "2011-06-26", "Year 10", []), ("Іван Ковальчук", "2015-10-10", "Year 6", []),
    ("Chukwuemeka Ọlá", "2010-03-05", "Year 11", ["Child in need"]), ("Maëlle Lefèvre-Çelik", "2014-07-07", "Year 7", []),
    ("Oliver O’Reilly", "2012-02-29", "Year 9", []), ("Şükrü Yıldırım", "2013-03-21", "Year 8", []), ("Blessing Tetteh-Quarshie", "2010-12-12", "Year 11", []),
    ("Jiří Dvořák", "2011-09-15", "Year 10", ["Child protection plan", "Social worker allocated"]), ("Keziah Barrow", "2015-06-18", "Year 6", []),
]
NONE, DECIDE, NOT, OPEN, BEGUN, DONE, FORCED, AGAIN = "no alert", "to decide", "not notifiable", "open", "begun", "completed", "completed anyway", "reopened"

# days ago, reporter, child (number above), place, how known, topic, what happened, the child's words, where it ends
STORIES = [
    (638, "dave", 0, "Classroom", "I saw or heard it", "Very tired, no lunch", "Zofia Łukasiewicz put her head on the desk twice in period 2 and had no lunch with her at 12:40.", "“I got up at five for my brother.”", NONE),
    (629, "dina", 3, "Playground or field", "I saw or heard it", "Pushed over at break", "Siôn Ŵyn was pushed from behind near the gate and fell on his left hand. Oliver O’Reilly said that he had pushed him.", "“He does it every day.”", NONE),
    (615, "carol", 1, "Home", "Another agency told us", "Placement move", "The social worker telephoned at 09:10: Ngũgĩ wa Kamau moved to a new foster family on Saturday.", "", NONE),
    (602, "dave", 10, "Public place", "Another child told me", "Gifts from older young people", "Two pupils said that Chukwuemeka Ọlá has had two new phones since half-term and is collected from the corner by people he does not name.", "“It’s just mates.”", DONE),
    (590, "dina", 2, "Classroom", "The child told me", "Worried about grandmother", "山田 花子 wrote in her book that her grandmother was in hospital and that nobody had told her which one.", "“I don’t know where she is.”", NONE),
    (577, "dave", 15, "Office or meeting room", "The child told me", "Afraid to go home", "Jiří Dvořák stayed behind after registration. He said that there had been shouting and that a door was broken.", "“I don’t want to go home tonight.”", DONE),
    (566, "dina", 7, "Toilets or changing room", "I saw or heard it", "Crying after PE", "Þórunn Ásgeirsdóttir was crying in the changing room. Three girls left when I came in.", "“They took a picture.”", NOT),
    (551, "carol", 8, "Online", "Online monitoring alert", "Search about not eating", "The monitoring report of 08:00 shows five searches by Ολυμπία Παπαδάκη about not eating for several days.", "", NOT),
    (540, "dave", 12, "Corridor or stairs", "I saw or heard it", "Shouting at a teacher", "Oliver O’Reilly shouted at a supply teacher and left the building by the side door. He was back at 11:25.", "“Everyone’s on my case.”", NONE),
    (522, "dina", 4, "Dining hall", "A colleague told me", "Not eating", "The kitchen manager said that Aoife Ní Dhomhnaill has given her lunch away each day this week.", "", NONE),
    (508, "dave", 6, "Home", "The child told me", "Caring for mother", "Đặng Thị Hoà said that she gives her mother medicine before school and was late because the chemist was shut.", "“If I don’t do it nobody does.”", NOT),
    (490, "carol", 13, "Transport", "A parent or carer told me", "Trouble on the bus", "The mother of Şükrü Yıldırım telephoned: a man on the 14 bus asked him which school he goes to, three days in a row.", "", DONE),
    (476, "dina", 16, "Classroom", "I saw or heard it", "Same clothes all week", "Keziah Barrow wore the same stained jumper from Monday to Friday and had no coat on Thursday when it rained.", "“The washer’s broke.”", NONE),
    (461, "dave", 5, "Classroom", "I saw or heard it", "Bitten by another child", "José María Ñíguez had a bite mark on his right forearm after group work. He pointed at the sensory room.", "“It hurts here.”", NONE),
    (447, "carol", 14, "Online", "The child told me", "Pressured for pictures", "Blessing Tetteh-Quarshie showed me messages from a person she has not met, asking again and again for pictures. She sent none.", "“He says he knows my street.”", DONE),
    (431, "dina", 9, "Playground or field", "I saw or heard it", "Sitting alone", "Іван Ковальчук sat alone by the wall on four days. His cousin usually plays with him.", "“Nobody speaks like me.”", NONE),
    (410, "dave", 11, "Home", "A parent or carer told me", "Parents separating", "The father of Maëlle Lefèvre-Çelik said at the gate that he has moved out and that she is upset.", "", NONE),
    (395, "carol", 15, "Office or meeting room", "Another agency told us", "Police call-out at home", "An Operation Encompass notice at 08:05: police attended the home of Jiří Dvořák at 01:40. He was in the house.", "", FORCED),
    (372, "dave", 0, "Corridor or stairs", "I saw or heard it", "Name-calling", "Two pupils of Year 8 called Zofia Łukasiewicz a name for her accent. I took their names.", "“I don’t care.”", NONE),
    (351, "dina", 3, "Dining hall", "The child told me", "Money taken", "Siôn Ŵyn said that an older boy takes his dinner money on Mondays.", "“He said he’d find me.”", NOT),
    (333, "dave", 1, "Trip or visit", "I saw or heard it", "Left the group", "Ngũgĩ wa Kamau left the group at the museum at 13:10 and was found by a guide at 13:35 near the exit.", "“I thought I saw my mum.”", DONE),
    (318, "carol", 10, "Public place", "Another agency told us", "Seen late at night", "The neighbourhood police team saw Chukwuemeka Ọlá at the retail park at 23:50 with two adults.", "", AGAIN),
    (300, "dina", 2, "Classroom", "I saw or heard it", "Drawing", "山田 花子 drew a house with a person outside it at night and did not want to talk about it.", "“It’s only a story.”", NONE),
    (281, "dave", 8, "Classroom", "Another child told me", "Fainting", "A friend of Ολυμπία Παπαδάκη said that she fainted on the way to school. She sat down when I asked her to.", "“I’m fine, I just forgot breakfast.”", BEGUN),
    (262, "dina", 16, "Home", "The child told me", "Alone at the weekend", "Keziah Barrow said that she and her sister, who is five, were alone from Saturday lunch until it was dark.", "“We had toast.”", DONE),
    (240, "carol", 7, "Online", "A parent or carer told me", "Picture shared", "The mother of Þórunn Ásgeirsdóttir said that a picture taken in the changing room was sent round the year group.", "“I can’t go back in there.”", BEGUN),
    (221, "dave", 13, "Classroom", "I saw or heard it", "Talk about a group", "Şükrü Yıldırım used slogans in a debate and said that he had them from a channel that his uncle showed him.", "“It’s what they don’t tell you.”", NOT),
    (203, "dina", 5, "Transport", "A colleague told me", "Not strapped in", "The driver of the minibus said that José María Ñíguez undid his belt twice on Tuesday.", "", NONE),
    (180, "dave", 4, "Office or meeting room", "The child told me", "Older boyfriend", "Aoife Ní Dhomhnaill said that her boyfriend is 19 and waits for her in his car after school.", "“He’s nice to me, most of the time.”", BEGUN),
    (158, "carol", 6, "Home", "Another agency told us", "Mother in hospital", "The ward telephoned: the mother of Đặng Thị Hoà was admitted last night. An aunt is with the children.", "", NONE),
    (137, "dina", 14, "Corridor or stairs", "Another child told me", "Marks on her arm", "A friend said that Blessing Tetteh-Quarshie has marks on her arm. Blessing kept her sleeves down.", "“Please don’t ring my mum.”", BEGUN),
    (110, "dave", 9, "Home", "The child told me", "Letter about the flat", "Іван Ковальчук showed me a letter: the family must leave the flat by the end of the month.", "“We pack every night.”", NONE),
    (88, "carol", 11, "Classroom", "I saw or heard it", "Bruise on cheek", "Maëlle Lefèvre-Çelik had a bruise of about 2 cm on her left cheek at registration. Her explanation changed twice.", "“I fell. No, it was the door.”", BEGUN),
    (64, "dina", 12, "Playground or field", "I saw or heard it", "Fight", "Oliver O’Reilly and another boy of Year 9 fought behind the sports hall. Both had grazed hands.", "“He started it.”", NONE),
    (45, "dave", 15, "Office or meeting room", "The child told me", "Afraid of the weekend", "Jiří Dvořák asked whether he could stay at school until Sunday.", "“It’s worse when there’s football.”", OPEN),
    (27, "dina", 0, "Classroom", "The child told me", "Held by the arm", "Zofia Łukasiewicz said that a lunchtime supervisor held her by the arm to make her sit down. There is a red mark.", "“She wouldn’t let go.”", OPEN),
    (12, "dave", 3, "Online", "Another child told me", "Threat in a game", "Two pupils said that somebody in a game told Siôn Ŵyn to meet him at the station on Saturday.", "“It’s only a game, miss.”", DECIDE),
    (5, "carol", 1, "Home", "Another agency told us", "Missing overnight", "The foster carer telephoned at 07:30: Ngũgĩ wa Kamau was out from 21:00 until 02:15.", "", DECIDE),
    (2, "dina", 9, "Classroom", "The child told me", "No heating", "Іван Ковальчук said that there is no heating where they stay now and that his mother sleeps in her coat.", "“You can see your breath.”", DECIDE),
    (1, "dave", 16, "Dining hall", "I saw or heard it", "Hiding food", "Keziah Barrow put four bread rolls into her bag. When I asked, she said that they were for her sister.", "“She gets hungry at night.”", DECIDE),
]
# topic of the story, days after it (None: three days ago), minutes, by, the contact: who outside was told, and what they said
OUTSIDE = [
    ("Police call-out at home", 0, -50, "alice", {
        "body": "Operation Encompass", "kind": "Information received", "direction": "They told us", "person": "Sergeant Amara Obi, Operation Encompass desk",
        "how": "Email", "their_reference": "OE-20-1187", "advice": "Silent support; the parents have not been told that the school knows.",
        "answers": {"1": "OE-20-1187", "2": "The child’s home", "4": "Yes, upstairs in his room", "5": "“I put the pillow on my head.”", "9": False}}),
    ("Police call-out at home", 0, -40, "alice", {
        "body": "Key adult in school", "kind": "Notification", "direction": "We told them", "person": "Dina El-Sayed, teaching assistant", "how": "In person",
        "shared": "That he may be tired and is to be met at the gate; nothing of what happened.", "ground": "Public task", "answers": {"1": "Meet him at the gate"}}),
    ("Bruise on cheek", 1, 30, "carol", {
        "body": "Parent or carer", "kind": "Notification", "direction": "We told them", "person": "Camille Lefèvre, mother", "how": "Telephone",
        "shared": "That Maëlle has a bruise, and that we have to ask.", "ground": "Public task", "advice": "She will come to school at three.",
        "answers": {"1": "Mother", "2": "That there is a bruise on the left cheek", "3": "She fell against the kitchen door on Sunday", "4": "Worried, and calm"}}),
    ("Afraid of the weekend", None, 70, "carol", {
        "body": "MASH", "kind": "Referral", "direction": "We told them", "person": "Ann Pryce, duty social worker", "how": "Online form or portal",
        "their_reference": "M-2203", "shared": "What he said, and the incidents of the last year.", "ground": "Safeguarding of children and of individuals at risk",
        "answers": {"1": "Safeguarding", "2": "Not told: it would put him at risk this weekend", "9": "Shouting and broken doors at weekends; he asks to stay at school",
                    "12": "High", "13": "At school"}}),
    ("Held by the arm", 0, 200, "alice", {
        "body": "LADO", "kind": "Referral", "direction": "We told them", "person": "Miriam Osei-Lind, designated officer", "how": "Telephone",
        "their_reference": "L-0417", "shared": "What the child said, and that the mark was seen.", "ground": "Legal duty",
        "advice": "A first meeting on Thursday; do not question the supervisor yet."}),
]
ANSWERS = {  # by the question's text; a question that is not here stays empty
    "What is the concern, in two or three sentences?": "{child} may be at risk of significant harm. The incident {incident} gives the reporter’s account; this section adds only what the DSL found out.",
    "Category": "Domestic abuse and family", "How urgent is it?": "24 hours", "Is the child safe now?": True,
    "What was done at once, by whom, and when?": "Carol Vaughan-Ŵyn spoke with {child} alone within the hour. Alice Brennan telephoned the front door service the same day.",
    "What has the child said, word for word?": "“I just want it to stop.” Said to Carol Vaughan-Ŵyn in the quiet room.",
    "What does the child want to happen?": "{child} wants to stay at this school and wants somebody to talk to the adults at home.",
    "When was the child last seen and spoken with alone?": "-3 days",
    "Who lives with the child, and who else matters?": [{"Full name": "Helena Marsh-Iwu", "Relationship": "Aunt", "Lives with the child?": "Yes", "Note": "Collects on Fridays"}],
    "What is known from before?": "The earlier incidents were read before this was written. They show a pattern of tiredness on Mondays.",
    "Which of these apply to the child?": ["SEND support"],
    "Threshold": "Targeted", "Decision": ["Internal support", "Child in need"],
    "Why? Set out the rationale.": "The child’s account is consistent, the risk is continuing, and the family has not been able to reduce it without help.",
    "Risks": [{"Risk": "Harm at home at weekends", "To whom": "{child}", "Level": "High", "Protective factors": "Aunt nearby", "Controls": "Call on Fridays and Mondays"}],
    "When will this be reviewed?": "+20 days",
    "Was anyone outside told or asked?": True,
    "Referrals and advice": [{"Body": "MASH", "Person": "Duty social worker Pryce", "When": "0 days 15:20", "Reference": "M-1187", "What was said or advised": "Assessment within ten days; keep the child’s routine."}],
    "Were the parents told of the referral? If not, why not?": "The mother was told by telephone "
                                                               "after the social worker agreed "
                                                               "that it was safe to do so.",
    "Was a strategy discussion held?": False, "Was a section 47 enquiry opened?": False, "Is an allegation made against an adult?": False,
    "Support in place": [{"For whom": "{child}", "What": "Check-in each morning", "By whom": "Carol Vaughan-Ŵyn", "From": "+3 days", "Review": "Each month"}],
    "What is different for the child now?": "{child} comes to school on time, eats lunch, and "
                                            "has somebody to go to.",
    "How safe is the child now, in your judgement?": "3 – mostly safe",
    "What worked, and what did not?": "The report was made within the hour. The first telephone "
                                      "call went to a number that had changed; the list has been "
                                      "corrected.",
    "What is being changed so that it does not happen again?": [{"Change": "Check the contact list each term", "Owner": "Mark Kowalczyk", "By when": "+20 days", "Done?": "Yes"}],
    "Summary of the case from beginning to end": "A concern about {child} was reported, looked "
                                                 "into on the same day, referred, and followed "
                                                 "by support at school and at home. The child’s "
                                                 "situation improved.",
    "Is anything still open, and who holds it?": "Nothing is open at school. The social worker "
                                                 "reviews the plan each quarter.",
    "Have the child and the parents been told that it is closed?": True,
}
KINDS = ["Other serious event", "Serious incident involving the police", "Child protection enquiry started", "Other serious event", "Serious harm to a pupil (school)"]
FIELDS = {"basis": "Judged serious", "told_how": "Ofsted online form",
          "decided_why": "A child may have come to serious harm and an outside agency is involved.",
          "done_at_once": "The child was seen alone, the front door service was called, and the parents were told when it was safe.",
          "prevention": "Daily check-in, and the contact list is checked each term.", "enquiry": "None"}


def build(password: str) -> None:
    """Fill an empty database with the school. `password` is the hash that every demonstration account gets."""
    steps: list = []  # (moment, order, function): what happens, in the order it happened
    start = datetime.combine(now().astimezone(LONDON).date(), time(9, 5), LONDON)

    def later(days_ago, minutes, function):
        steps.append((min(start - timedelta(days=days_ago) + timedelta(minutes=minutes), now()), len(steps), function))

    with transaction():
        with at(start - timedelta(days=660)):
            people, children = settle(password)
        for number, story in enumerate(STORIES):
            tell(story, number, people, children, later)
        for number, (days, who, place, topic, text) in enumerate(SMALL):
            told = (days, who, 6, place, "I saw or heard it", topic, text, "", NONE)
            tell(told, number + len(STORIES), people, children, later)
        for moment, _order, function in sorted(steps, key=lambda step: step[:2]):
            with at(moment):
                function()
                deliver()
        with at(min(start, now()) - timedelta(minutes=5)):
            ask(people)
            around(children[16], people)
        post()


def settle(password):
    """The people and the children."""
    roles = {role.name: role for role in Role.select()}
    people, children = {}, []
    for email, name, title, role in PEOPLE:
        person = User.create(name=name, job_title=title, email=email, password=password)
        UserRole.create(user=person, role=roles[role])
        Event.write("user:add", person, None)
        people[email.split("@")[0]] = person
    for number, (name, born, year, flags) in enumerate(CHILDREN):
        child = Child.create(name=name, date_of_birth=date.fromisoformat(born), year=year, upn=f"Z{960001234500 + number:012d}")
        for kind in flags:
            Flag.create(child=child, kind=kind, since=now().date())
        Event.write("child:add", child, people["carol"])
        children.append(child)
    return people, children


def ask(people):
    """A change that waits for a Level 5."""
    Proposal.make(people["ira"], "grant", user=people["dina"], role=Role.get(Role.name == "Contributor"))


def around(child, people):
    """Who and what is around one child: people, a flag to be looked at again, an earlier school with its file, absence, and a copy of the chronology."""
    today, alice = now().astimezone(LONDON).date(), people["alice"]
    Relation.relate(child, alice, kind="Mother", name="Grace Barrow", responsible=True, household=True, reached="01632 960 118")
    Relation.relate(child, alice, kind="Father", name="Paul Barrow", responsible=True, household=False)
    Relation.relate(child, alice, kind="Aunt or uncle", user=people["ira"])
    Flag.flag(child, alice, kind="Young carer", since=today - timedelta(days=260), review_on=today + timedelta(days=3), told="Yes")
    School.school(child, alice, name="Thornley Infants", since=today - timedelta(days=1900), until=today - timedelta(days=850), received=True, received_on=today - timedelta(days=800))
    entry = Entry.add(child, people["carol"], happened_on=today - timedelta(days=900), headline="Two pages from Thornley Infants: father left the home", source="Earlier school",
                      text="He moved out in the spring. Grace Barrow asked the school to ring her and nobody else.", origin="Thornley Infants", pages="3 and 4", significant=True)
    hiding = Incident.select().where(Incident.child == child).order_by(Incident.id.desc()).get()
    Mark.mark(child, hiding, alice, significant=True, headline="Hiding food for her sister", impact="− for the worse")
    Mark.mark(child, entry, alice, significant=True, impact="− for the worse")
    days = [today - timedelta(days=7 * week + today.weekday()) for week in (1, 2, 4)] + [today - timedelta(days=9)]
    absent = [Absence.create(child=child, on=day, half_days=1, kind="Absent without permission", read_at=now()) for day in dict.fromkeys(days)]
    Event.write("child:absence", child, None, also=absent, days=len(absent))
    Extract.make(child, lines([child], alice, visible)[::-1], alice, recipient="Jo Field, social worker, Calderdale Council", reason="The core group asked for it.",
                 which="Significant lines", columns="As on the page", form="PDF")


def tell(story, number, people, children, later):
    """One story: the report, and each step up to where it ends."""
    days, reporter, child, place, known, topic, facts, words, ends = story
    child, case = children[child], {}

    def report():
        others = [(children[12], "Alleged to have caused harm")] if number == 1 else []
        adults = [(people["dina"], "Present")] if reporter == "dave" and number % 3 == 0 else []
        case["incident"] = Incident.report(
            people[reporter], others=others, adults=adults, child=child, noticed_at=now() - timedelta(minutes=25), happened="Approximate",
            happened_at=now() - timedelta(minutes=40), place=place, known=known, topic=topic, what_happened=facts, child_words=words or None,
            questions_asked="“Can you tell me more about that?”" if words else None, immediate_danger=False,
            opinion="This is unlike the child, and worth following up." if number % 2 else None,
            injuries=[{"side": "Left", "place": "Cheek", "kind": "Bruise", "size": "2", "note": "Yellow at the edge"}] if topic == "Bruise on cheek" else [],
            immediate_action="Spoke with the child in a quiet place and told the safeguarding team before the end of the lesson.",
            told_dsl=number % 2 == 0, parents_told="Not yet", parents_why="To be decided by the DSL.", intervention=False, safeguarding_alert=ends != NONE)

    def triage():
        incident, alive = case["incident"], Case.select().where(Case.about(child), Case.status.in_(Case.ALIVE)).first()
        by = people["alice" if number % 2 else "carol"]
        incident.acknowledge(by=by)
        category, risk, threshold, decision = DECIDED.get(topic) or ("Health and other", *(("Low", "Universal", "No further action") if ends == NONE else ("Medium", "Early help", "Early help")))
        small = decision == "No further action" and not alive
        Triage.decide(
            incident, by, opens=not small and not alive, case=None if small else alive, risk=risk, threshold=threshold, decision=decision,
            urgency="24 hours" if risk in ("High", "Critical") else "Five working days", categories=[(child, "Affected", category)],
            rationale="The child was seen and spoken to, the earlier entries were read, and this is what they show together.",
            not_referred="The social worker was asked first, and advises support in school." if threshold in ("Targeted", "Statutory") and decision == "Internal support" else None,
            flags=["Child protection plan"] if decision == "Child protection" else ())

    def trigger():
        case["log"] = Log.trigger(case["incident"], people["mark"])

    def fill_in():
        log = case["log"]
        log.edit(people["carol"], told_at=now(), told_by=people["alice"], told_reference=f"CR{48210 + number}", late_because="The portal was down overnight." if log.late else None,
                 kind=KINDS[number % 5], summary=f"{topic}. The child is safe and supported; details were given on the telephone.", **FIELDS)
        log.assign([people["carol"]], people["alice"])

    def begin():
        case["tracker"] = Tracker.begin(case["log"], people["carol"])

    def answer(upto):
        for section in case["tracker"].in_order()[:upto]:
            section.save_answers({q["id"]: given(q, child, case["incident"]) for q in section.questions}, people["carol" if section.position % 2 else "alice"])

    def task(what, owner, days, **more):
        day = now().date() + timedelta(days=days)
        case["task"] = Task.give(case["incident"], people["alice"], what=what, owner=people[owner], due_on=day, visible=visible, **more)

    def weekly():
        return Task.get(Task.incident == case["incident"], Task.status == "open")

    def close():
        found = Case.of(case["incident"]).get()
        if found.status == "open":
            found.edit(people["alice"], child_told="Yes", parents_told="Yes", risk_reviewed_on=now().date(), outcome="The child says that it has stopped, and has somebody to go to.")
        if found.status == "open" and not found.missing():
            found.close(by=people["mark"])

    def note():
        section = case["tracker"].in_order()[5 + number % 3]
        text = next(question for question in section.questions if question["kind"] == "long text")
        section.save_answers({text["id"]: "To be asked on Friday."}, people["carol"])

    def outside(by, contact):
        if contact["body"] == "MASH":
            Relation.relate(child, people[by], kind="Mother", name="Alena Dvořáková", responsible=True, household=True, reached="01632 960 114")
        Contact.add(case["incident"], people[by], at=now() - timedelta(minutes=5), **contact)

    later(days, number % 5 * 37, report)
    if days > 4 or ends not in (NONE, DECIDE):
        later(days, number % 5 * 37 + 65, triage)
    for told, after, minutes, by, contact in OUTSIDE:
        if told == topic:
            at_minute = number % 5 * 37 + 60 + minutes
            later(3 if after is None else days - after, at_minute, lambda by=by, contact=contact: outside(by, contact))
    if ends == NONE and number % 4 == 0:
        later(days - 1, 60, lambda: case["incident"].amend(text="The child was seen again the next morning and had nothing to add.", by=people[reporter]))
    if ends == NOT:
        later(days - 1, 95, lambda: case["incident"].not_notifiable(reason="Considered with the DSL: below the threshold for Ofsted; support is in place at school.", by=people["mark"]))
    if ends in (OPEN, BEGUN, DONE, FORCED, AGAIN):
        later(days, 240, trigger)
    if ends in (BEGUN, DONE, FORCED, AGAIN):
        later(days, 330 if number % 4 else 2000, fill_in)
        later(days - 2, 30, begin)
        later(days - 6, 50, lambda: answer(5))
        later(days - 7, 15, note)
    if ends == BEGUN:
        what, owner = TASKS[number % len(TASKS)]
        later(days - 6, 60, lambda: task(what, owner, days - 8 + number % 5))
    if topic == WEEKLY:
        later(days - 1, 75, lambda: task("Ask in the quiet room how the week was", "carol", 7, repeats="Each week", urgency="Five working days"))
        for week, effect in enumerate(WEEKS):
            later(days - 8 - 7 * week, 75, lambda effect=effect: weekly().done(effect=effect, evidence="The note in her planner.", by=people["carol"]))
    if topic == ASKED:
        later(days, 150, lambda: Clarification.ask(case["incident"], people["carol"], "Did you see who was with the child, and at what time?", now().date() + timedelta(days=3)))
    if topic == THANKED:
        later(days, 200, lambda: Feedback.give(case["incident"], people["alice"], "Thank you", "You wrote down the words as they were said, and told us within the hour. That made the next call easy."))
    if ends in (DONE, AGAIN):
        later(days - 7, 30, lambda: task("Ring the family’s support worker", "carol", 5))
        later(days - 10, 45, lambda: case["task"].done(effect="She visits on Mondays from now on.", by=people["carol"]))
        later(days - 25, 70, lambda: answer(13))
        later(days - 28, 20, lambda: case["log"].complete(by=people["mark"]))
        later(days - 40, 50, close)
    if ends == FORCED:
        later(days - 30, 20, lambda: case["log"].complete_anyway(reason="The family has moved; the new authority holds the case and the rest cannot be answered here.", by=people["alice"]))
    if ends == AGAIN:
        later(days - 40, 20, lambda: case["log"].reopen(reason="The police gave new information.", by=people["bob"]))


SMALL = [  # twelve small entries about one child over two years, none of which is much alone
    (649, "dina", "Classroom", "No reading book", "Đặng Thị Hoà has had no reading book with her for two weeks."),
    (590, "dave", "Playground or field", "No coat", "It rained at break and Đặng Thị Hoà had a thin jumper and no coat."),
    (541, "dina", "Classroom", "Late three times", "Đặng Thị Hoà came at 09:20, 09:35 and 09:10 this week and brought her brother to nursery first."),
    (488, "carol", "Dining hall", "Asked for seconds", "Đặng Thị Hoà asked for seconds on Monday, Tuesday and Thursday."),
    (436, "dina", "Classroom", "Asleep in the afternoon", "Đặng Thị Hoà slept with her head on her arms from 13:40 to 14:05."),
    (379, "dave", "Transport", "Not collected", "Nobody came for Đặng Thị Hoà until 16:10. Her aunt said that the shift had been changed."),
    (322, "dina", "Classroom", "PE kit", "Đặng Thị Hoà has had no PE kit since the holidays and sits out."),
    (263, "carol", "Office or meeting room", "Interprets for her mother", "Đặng Thị Hoà left a lesson to interpret for her mother on the telephone to the surgery."),
    (207, "dina", "Classroom", "Homework on the bus", "Đặng Thị Hoà does her homework on the bus, because at home she cooks."),
    (151, "dave", "Playground or field", "Alone at lunch", "Đặng Thị Hoà has sat by herself at lunch since her friend moved away."),
    (92, "dina", "Classroom", "Same shirt", "Đặng Thị Hoà wore the same shirt from Monday to Friday."),
    (36, "carol", "Corridor or stairs", "Worried about Friday", "Đặng Thị Hoà asked twice whether school closes early on Friday."),
]
DECIDED = {  # by topic: category, risk, threshold, decision
    "Gifts from older young people": ("Exploitation", "High", "Targeted", "Child in need"),
    "Pressured for pictures": ("Online", "High", "Statutory", "Police"),
    "Police call-out at home": ("Domestic abuse and family", "High", "Statutory", "Child in need"),
    "Bruise on cheek": ("Physical", "High", "Statutory", "Child protection"),
    "Afraid of the weekend": ("Domestic abuse and family", "Critical", "Statutory", "Child protection"),
    "Alone at the weekend": ("Neglect", "Medium", "Early help", "Early help"),
    "Held by the arm": ("Physical", "Medium", "Statutory", "LADO"),
    "Missing overnight": ("Attendance or missing", "High", "Statutory", "Child in need"),
    "Older boyfriend": ("Exploitation", "High", "Statutory", "Child protection"),
    "Marks on her arm": ("Mental health", "High", "Targeted", "Internal support"),
    "Picture shared": ("Child-on-child", "Medium", "Targeted", "Police"),
    "Fainting": ("Mental health", "Medium", "Early help", "Early help"),
    "Talk about a group": ("Radicalisation", "Medium", "Targeted", "Channel"),
    "Letter about the flat": ("Domestic abuse and family", "Medium", "Early help", "Early help"),
    "Worried about Friday": ("Neglect", "Medium", "Early help", "Early help"),
    "Sitting alone": ("Child-on-child", "Low", "Universal", "No further action"),
    "Fight": ("Child-on-child", "Low", "Universal", "No further action"),
    "Name-calling": ("Child-on-child", "Low", "Universal", "No further action"),
}
# the stories with a task that repeats, a question, a thank-you
WEEKLY, ASKED, THANKED = "Held by the arm", "Threat in a game", "No heating"
WEEKS = ("She smiled, and spoke of her cousin.", "Quieter than last week.", "She asked to help in the library.")
TASKS = (
    ("Ask the attendance officer for the register of the last month", "carol"),
    ("Write to the parents about the meeting", "alice"),
    ("Arrange a weekly check-in with the form tutor", "carol"),
)


def given(question, child, incident):
    """The prepared answer to one question, with the child's name put in and days counted from
    now.
    """
    def fill(value):
        if isinstance(value, list):
            return [fill(item) for item in value]
        if isinstance(value, dict):
            return {key: fill(item) for key, item in value.items()}
        return value.format(child=child.name, incident=incident.reference) if isinstance(value, str) else value

    def on(text):
        """The day, or moment, that so many days are from now."""
        days, _word, *hours = text.split()
        day = now().astimezone(LONDON).date() + timedelta(days=int(days))
        return datetime.combine(day, time.fromisoformat(hours[0]), LONDON).astimezone(UTC) if hours else day

    answer = fill(ANSWERS.get(question["text"]))
    if question["kind"] == "table of rows":
        dated = {one.name for one in columns(question) if one.kind in ("date", "date and time")}
        return [{name: plain(on(cell)) if name in dated else cell for name, cell in row.items()} for row in answer or []]
    return on(answer) if question["kind"] == "date" and answer else answer


def deliver(send=lambda notice: None):
    """Send what waits, now."""
    for notice in Notice.select().where(Notice.status == "waiting").order_by(Notice.id):
        notice.claim()
        notice.attempt(send)


def post():
    """Send what was queued, all but the emails of one mailbox that has been full for a while: those still wait."""
    full = Notice.select().order_by(Notice.id.desc()).first()

    def send(notice):
        if notice.id == full.id:
            raise SMTPResponseException(452, b"mailbox full")

    deliver(send)
    full = Notice.get_by_id(full.id)
    while full.attempts < 5:
        with at(full.due_at):
            full.claim()
            full.attempt(send)
        full = Notice.get_by_id(full.id)
