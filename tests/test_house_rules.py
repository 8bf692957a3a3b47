"""The rules of the house. Each failure message is the cure."""

import ast
import re
import sqlite3
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from playhouse.migrations import Runner
from playhouse.schema_diff import diff_models

import app as application
import models
from models import PERMISSIONS, SHIPPED_ROLES, TABLES, VOCABULARY, db, step_of
from models.case.child import OfChild
from models.case.incident import OfIncident
from models.ground.database import connect
from models.ground.record import Base, NoIncident
from models.ground.settings import ALL, settings
from models.policy import VISIBLE

from . import engine

pytestmark = pytest.mark.both

HERE = Path(__file__).parent.parent
ROOMS = ["models/*.py", "models/[!m]*/*.py", "admin_views/**/*.py"]
CODE = [*HERE.glob("*.py"), *(file for room in ROOMS for file in HERE.glob(room))]
README = (HERE / "README.md").read_text(encoding="utf-8")


def module(file):
    """The dotted name of a file of ours: models.case.log."""
    return ".".join(file.relative_to(HERE).with_suffix("").parts).removesuffix(".__init__")


def imports(file):
    """The modules that a file imports, as dotted names; a name taken out of a package is looked for as a module of it."""
    package = module(file) if file.name == "__init__.py" else module(file).rpartition(".")[0]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = (
                package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            )
            base = ".".join([*above, *([node.module] if node.module else [])])
            inner = [f"{base}.{name.name}" for name in node.names]
            yield from (name for name in inner if name in MODULES)
            if not all(name in MODULES for name in inner):
                yield base


MODULES = {module(file) for file in CODE}
RANKS = [
    "models.permissions",
    *(f"models.{room}" for room in models.ROOMS),
    "models.policy",
    "models.demo_forms",
    "models.demo",
]


def rank(name):
    return next(
        (place for place, room in enumerate(RANKS) if f"{name}.".startswith(f"{room}.")), None
    )


def test_models_know_nothing_of_the_web():
    for file in HERE.glob("models/**/*.py"):
        for name in imports(file):
            root = name.split(".")[0]
            allowed = file.parent.name == "people" and root == "flask_security"
            assert allowed or not re.match(r"flask|wtforms|werkzeug|admin_views|app$", root), (
                f"{file} imports {name}: move what needs it to admin_views"
            )


def test_the_rooms_know_each_other_in_one_direction():
    order, wrong = {}, []
    for file in HERE.glob("models/**/*.py"):
        if "migrations" in file.parts or file == HERE / "models/__init__.py":
            continue
        known = [name for name in imports(file) if name.startswith("models.")]
        order[module(file)] = known
        wrong += [
            f"{module(file)} imports {name}" for name in known if rank(name) > rank(module(file))
        ]
        if rank(module(file)) is None:
            wrong.append(f"{file} stands in no room: put it into one of {models.ROOMS}")
    assert not wrong, (
        "the rooms go one way, "
        + f"{' ← '.join(RANKS)}: pass it in, or move it\n"
        + "\n".join(wrong)
    )
    try:
        tuple(TopologicalSorter(order).static_order())
    except CycleError as circle:
        pytest.fail(
            f"these modules know each other in a circle; take one step out: {circle.args[1]}"
        )


def test_nobody_imports_app_and_the_rails_know_no_noun():
    for file in HERE.glob("admin_views/**/*.py"):
        for name in imports(file):
            assert name != "app", (
                f"{file} imports app: app.py plugs things together, nobody needs it"
            )
            noun = name.startswith("admin_views.") and not name.startswith("admin_views.rails")
            assert not (noun and file.parent.name == "rails"), (
                f"{file} imports {name}: rails know no noun, pass it in"
            )


def test_templates_never_query():
    for file in HERE.glob("templates/**/*.html"):
        found = re.search(r"\.(select|where|get_by_id|execute)\(", file.read_text(encoding="utf-8"))
        assert not found, f"{file.name} queries: give it the rows from the view"


def test_lines_of_templates_are_short():
    """A line of a text email is a line of the email: those are as long as what they say."""
    for file in HERE.glob("templates/**/*.html"):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            assert len(line) <= 100, (
                f"{file}:{number} has {len(line)} columns, a hundred are allowed: one tag per "
                "line where a line would hide a condition. The line break after a %} is not "
                "drawn, nor is one before a {%-"
            )


def test_one_vocabulary(app):
    for verb in PERMISSIONS:
        name = verb.split(":")[1]
        if name not in (
            "read",
            "read_all",
            "read_original",
            "read_restricted",
            "export",
            "pdf",
            "edit",
        ):
            assert callable(step_of(verb)), (
                f"{verb}: the permission, the action, the method and the history word are one; "
                "add the method"
            )
    for view in app.extensions["admin"][0]._views:
        for action in getattr(view, "_actions_data", {}):
            step = next((one for one in view.steps if one.verb == action), None)
            assert step and (step.permission or action) in PERMISSIONS, (
                f"{action} is an action without a permission of the same name"
            )
    for name, (level, description, permissions) in SHIPPED_ROLES.items():
        assert 0 <= level <= 5 and description and set(permissions) <= set(PERMISSIONS), (
            f"the role {name} names a permission that does not exist"
        )
    source = "".join(file.read_text(encoding="utf-8") for file in CODE)
    for verb in VOCABULARY:
        used = source.count(f'"{verb}"') + source.count(f"{verb.split(':')[1]}")
        assert used > 1, f"{verb} is in the vocabulary and nowhere else: use it or remove it"
    for verb in (
        set(re.findall(r'"([a-z_]+:[a-z_0-9]+)"', source)) - set(VOCABULARY) - {"noun:verb"}
    ):
        pytest.fail(f"{verb} is used but is not in models/permissions.py VOCABULARY")


def test_every_route_is_guarded(app, school):
    stranger = app.test_client()
    for rule in app.url_map.iter_rules():
        if rule.endpoint in OPEN:
            continue
        for method in rule.methods & {"GET", "POST"}:
            answer = stranger.open(
                rule.rule.replace("<export_type>", "csv")
                .replace("<path:filename>", "x")
                .replace("<token>", "x")
                .replace("<name>", "x"),
                method=method,
            )
            assert answer.status_code in (302, 400, 404, 405), (
                f"{method} {rule.rule} answers {answer.status_code} to a stranger: give its view "
                "a Door"
            )
            if answer.status_code == 302:
                assert "/login" in answer.headers["Location"], (
                    f"{method} {rule.rule} sends a stranger to {answer.headers['Location']}"
                )


OPEN = {
    "static",
    "health",
    "security.static",
    "security.login",
    "security.logout",
    "report_here",  # with a code: tests/test_slip.py
    "report_here_form.create_view",
    "security.forgot_password",
    "security.reset_password",
}  # what a stranger may open


def test_the_doors_of_flask_admin_that_we_do_not_have(app):
    rules = {rule.rule for rule in app.url_map.iter_rules()}
    assert not [rule for rule in rules if "/ajax/" in rule or "/delete/" in rule], (
        "RecordView sets delete_view, ajax_update and ajax_lookup to None: keep it"
    )
    for rule in app.url_map.iter_rules():
        if "POST" in rule.methods:
            assert re.search(
                r"/(new|edit|action|move|release|retry|copy|ask-also|import)/$|^/(login|logout|verify|change|reset|tf-|mf-|wan-|setup|account|report-here)",
                rule.rule,
            ), f"{rule.rule} takes POST: a new kind of door wants a test of its own"


def test_every_table_has_a_policy_or_no_door(app):
    for view in app.extensions["admin"][0]._views:
        if hasattr(view, "model"):
            assert view.model in VISIBLE or not isinstance(view.model.belongs, NoIncident), (
                f"{view.model.__name__} has a screen, is of no incident, and has no rule in "
                "models/policy.py VISIBLE: say who sees which rows"
            )


def test_a_model_that_does_not_say_where_it_belongs_cannot_be_imported():
    with pytest.raises(TypeError, match="must say what the database keeps of it"):
        type("Loose", (Base,), {})
    for belongs in (None, "incident", "nowhere"):
        with pytest.raises(TypeError, match="must say where it belongs"):
            type("Loose", (Base,), {"keeps": "rows", "belongs": belongs})


def test_migrations_make_what_the_models_say(school):
    diff = diff_models(db, TABLES)
    assert not diff, (
        f"the models and the migrations differ: write the next file in models/migrations. {diff}"
    )


def test_migrations_twice_change_nothing(school, tmp_path):
    assert Runner(db.obj, str(HERE / "models" / "migrations")).up() == []
    db.close()
    (tmp_path / "new").mkdir()
    connect(engine.current().url(tmp_path / "new"))
    with db.connection_context():
        assert len(Runner(db.obj, str(HERE / "models" / "migrations")).up()) == len(
            list(HERE.glob("models/migrations/0*.py"))
        )
        assert not diff_models(db, TABLES)
        triggers = engine.current().triggers()
    connect(settings.database)
    assert {"event", "incident", "log", "document", "notice", "section"} <= triggers


@pytest.mark.only("sqlite")
def test_sqlite_is_opened_as_promised(school):
    with sqlite3.connect(school.folder / "safeguarding.db") as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    other.close()
    assert db.obj._lock_type == "immediate", (
        "a read that turns into a write fails at once under WAL: connect with lock_type=immediate"
    )
    assert (db.pragma("synchronous"), db.pragma("foreign_keys"), db.pragma("busy_timeout")) == (
        2,
        1,
        10_000,
    )


def test_the_readme_lists_every_setting_command_and_target():
    for name, (default, _help, _kind) in ALL.items():
        assert f"`SAFEGUARDING_{name}` | {f'`{default}`' if default else ''}" in README, (
            f"README: document SAFEGUARDING_{name} with its default {default!r}"
        )
    commands = [
        name
        for file in CODE
        for name in re.findall(r'@click\.command\(\s*"([\w-]+)"', file.read_text(encoding="utf-8"))
    ]
    assert sorted(commands) == sorted(command.name for command in application.COMMANDS), (
        "every command is in COMMANDS, and found here"
    )
    for command in commands:
        assert f"| `flask {command}` |" in README, f"README: document flask {command}"
    for target in re.findall(r"^(\w+):.*##", (HERE / "Makefile").read_text(encoding="utf-8"), re.M):
        assert f"`make {target}" in README, f"README: document make {target}"


def test_the_readme_says_who_may_do_what():
    columns = list(SHIPPED_ROLES)
    missing = []
    for verb, allows in PERMISSIONS.items():
        marks = " | ".join("✓" if verb in SHIPPED_ROLES[role][2] else "" for role in columns)
        row = f"| `{verb}` | {allows} | {marks} |"
        missing += [] if row in README else [row]
    assert not missing, "README, Who may do what, lacks these rows:\n" + "\n".join(missing)


def test_each_module_opens_with_one_sentence():
    for file in CODE:
        text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
        assert text and len(text.split("\n\n")[0]) < 200, (
            f"{file} opens with a sentence that says what it is for"
        )


def documented(tree, inside=""):
    """(name, node) of the functions and methods with a docstring that others may call."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield from documented(node, f"{node.name}.")
        elif isinstance(node, ast.FunctionDef) and ast.get_docstring(node):
            yield f"{inside}{node.name}", node


def test_what_the_models_offer_says_of_what_type_it_is():
    texts = {file: file.read_text(encoding="utf-8") for file in CODE}
    words = {file: set(re.findall(r"\w+", text)) for file, text in texts.items()}
    asked, wrong = 0, []
    for file in HERE.glob("models/[!m]*/*.py"):
        elsewhere = set().union(*(names for other, names in words.items() if other != file))
        for name, node in documented(ast.parse(texts[file])):
            if node.name not in elsewhere or node.name.startswith("_"):
                continue
            given = node.args
            others = [one for one in (given.vararg, given.kwarg) if one]
            bare = [
                one.arg
                for one in (*given.posonlyargs, *given.args, *given.kwonlyargs, *others)
                if one.annotation is None and one.arg not in ("self", "cls")
            ]
            asked += 1
            if bare or not node.returns:
                wrong.append(f"{file}: {name}: {', '.join(bare) or 'what it returns'}")
    assert not wrong, (
        "a function of models/ with a docstring, whose name another module uses, has annotations, "
        "so that mypy checks who calls it:\n" + "\n".join(wrong)
    )
    assert asked > 150, "this finds nearly nothing: mend the test"


def test_no_page_names_another_host(cast, incident):
    for page in ("/", "/incident/", f"/incident/details/?id={incident.id}", "/incident/new/"):
        text = cast.alice.get(page).text
        assert not re.search(r'(src|href|action)="(https?:)?//', text), (
            f"{page} loads or links something from elsewhere"
        )
        assert not re.search(r"<script(?! src=)|\son\w+=|\sstyle=", text), (
            f"{page} has an inline script, handler or style: the CSP refuses it"
        )


def test_answers_carry_the_headers(cast):
    for page in ("/", "/incident/details/?id=0", "/login"):
        headers = cast.alice.get(page).headers
        assert (
            "default-src 'none'" in headers["Content-Security-Policy"]
            and headers["X-Content-Type-Options"] == "nosniff"
        )
        assert (
            headers["Cache-Control"] == "no-store" and headers["Referrer-Policy"] == "no-referrer"
        )


def test_a_post_without_its_token_is_refused(cast, incident):
    answer = cast.mark.post(
        "/incident/action/", {"csrf_token": "", "action": "log:trigger", "rowid": incident.id}
    )
    assert answer.status_code == 400 and "Nothing was saved" in answer.text_only


def test_a_noun_is_whole():
    """What a noun of a case consists of; everything that is forgotten is named at once."""
    lacks, said = [], (HERE / "tests/matrix.txt").read_text(encoding="utf-8")
    migrations = "".join(
        file.read_text(encoding="utf-8") for file in HERE.glob("models/migrations/0*.py")
    )
    swept = (HERE / "tests/conftest.py").read_text(encoding="utf-8")
    for model in every(OfIncident):
        noun = model.noun()
        if (
            f'table_name = "{noun}"' not in migrations
            and f"table_name = '{noun}'" not in migrations
        ):
            lacks.append(f"a migration in models/migrations/ that makes the table {noun}")
        if model.part_of or not hasattr(model, "STATUSES"):
            continue  # it has no door of its own: it goes with its incident
        if not [verb for verb in VOCABULARY if verb.startswith(f"{noun}:")]:
            lacks.append(f"rows of {noun} in models/permissions.py VOCABULARY")
        for place in (
            f"models/case/{noun}.py",
            f"admin_views/{noun}.py",
            f"templates/{noun}",
            f"tests/test_{noun}.py",
        ):
            if not (HERE / place).exists():
                lacks.append(f"{place}: one noun, one name, four rooms")
        if f" /{noun}/ " not in said:
            lacks.append(f"the doors /{noun}/… in tests/matrix.txt")
        if model.__name__ not in swept:
            lacks.append(f"a row of {model.__name__} in `besides` of tests/conftest.py")
    assert not lacks, "a noun lacks something; add:\n" + "\n".join(lacks)


def test_a_chronology_leaves_out_no_noun_by_mistake():
    """Whatever is recorded of an incident or a child has a line, or says why it has none."""
    silent = [
        model.__name__
        for model in Base.every()
        if (not isinstance(model.belongs, NoIncident) or issubclass(model, OfChild))
        and bool(getattr(model, "line", None)) == bool(model.no_line)
    ]
    assert not silent, (
        "say it by a method `line` (models/case/line.py), or say in `no_line` why a chronology has "
        f"no line of it; not both: {silent}"
    )


def every(model):
    return [
        one for sub in model.__subclasses__() for one in ([sub] * (not sub.abstract) + every(sub))
    ]
