"""The models. A module put into one of the rooms is found by itself, and its nouns by their names:
`from models import Log`.

The rooms, each knowing those before it only: ground, people, history, access, case, shelf. Which
module stands above which follows from their imports; a test sees to it that they go one way.
"""

from functools import cache
from importlib import import_module
from pkgutil import walk_packages
from typing import TYPE_CHECKING, Any

from peewee import sort_models  # type: ignore[attr-defined]  # its own stubs forget it

from .ground.clock import now
from .ground.database import db, transaction
from .ground.record import Base, Refused
from .ground.settings import settings
from .history.looks import look
from .permissions import PERMISSIONS, SHIPPED_ROLES, VOCABULARY

ROOMS = ("ground", "people", "history", "access", "case", "shelf")
LATER = ("typeface", "cleaned")  # what makes papers and pictures, and no page: when first used

for _module in walk_packages(__path__, f"{__name__}."):
    _room, _, _name = _module.name.removeprefix(f"{__name__}.").partition(".")
    if _name and _room in ROOMS and _name not in LATER:
        import_module(_module.name)
TABLES = sort_models(Base.every())  # what a foreign key leads to comes first
globals().update({model.__name__: model for model in TABLES})

from .policy import of_seen, visible, who_sees  # noqa: E402 it asks every noun


def step_of(verb: str) -> Any:
    """The method of a verb: step_of("log:complete") is Log.complete.

    Its `sources` are the statuses from which it can be taken, its `who` says who may, on this
    record. A step that makes another noun stands there: "incident:share" is Share.share.
    """
    model, name = home_of(verb)
    return getattr(model, name)


@cache
def home_of(verb: str) -> tuple[Any, str]:
    """The model at which the step of a verb stands, and the name of its method."""
    noun, name = verb.split(":")
    name = "save_answers" if verb == "section:save" else name  # a model has a save of its own
    own = next(model for model in TABLES if model.noun() == noun)
    if getattr(own, name, None):
        return own, name
    return next(model for model in TABLES if hasattr(getattr(model, name, None), "who")), name


if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...


__all__ = [
    *(model.__name__ for model in TABLES),
    "PERMISSIONS",
    "SHIPPED_ROLES",
    "TABLES",
    "VOCABULARY",
    "Base",
    "Refused",
    "db",
    "look",
    "now",
    "of_seen",
    "settings",
    "step_of",
    "transaction",
    "visible",
    "who_sees",
]
