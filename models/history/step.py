"""@step: the one door between two statuses. Claim, rule, history and what follows from it in one
transaction; `who=` on this record.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from models.ground.database import transaction
from models.ground.record import Base, Record, Refused

from .notice import Notice

P = ParamSpec("P")
R = TypeVar("R", bound=Record)
T = TypeVar("T")


def words(statuses):
    return " or ".join(f"“{status}”" for status in statuses)


def claim(record: Record, sources: Sequence[str], target: str) -> None:
    """Move `record` from one of `sources` to `target` in the database; raise Refused if another got
    there first.
    """
    model = type(record)
    claimed = (
        model.update(status=target, version=model.version + 1)
        .where(model.id == record.id, model.status.in_(sources))
        .execute()
    )
    fresh = model.get_by_id(record.id)
    if not claimed:
        raise Refused(
            f"{record} is “{fresh.status}”. This can be done only while it is {words(sources)}. "
            "Nothing was changed."
        )
    record.__data__ |= fresh.__data__
    record.__rel__.clear()
    record._dirty.clear()


def anyone(_record: Base, _by: Any) -> bool:
    """Whoever has the permission."""
    return True


def ask(who: Callable[[Any, Any], bool], record: Base, by: Any) -> None:
    """Raise Refused with the sentence that opens the docstring of `who` when that rule says no to
    `by` on this record.
    """
    if not who(record, by):
        raise Refused(f"{(who.__doc__ or '').strip().splitlines()[0]} Nothing was changed.")


def step(
    source: str | Sequence[str],
    target: str | Callable[[Any], str],
    who: Callable[[Any, Any], bool] = anyone,
) -> Callable[[Callable[Concatenate[R, P], object]], Callable[Concatenate[R, P], R]]:
    """Decorate a method that moves its record from `source` (a status, or several) to `target` (a
    status, or a function of the record).

    The method holds the rule, may change fields, may raise Refused, and may return a dict of
    details for the history. It is called with `by=` (a User): `log.complete(by=alice)`. Two at
    once: one wins, the other is refused. who: a function (record, by) giving whether this person
    may, on this record; the button and the door ask it as well.
    """
    sources = (source,) if isinstance(source, str) else source

    def decorate(rule):
        def verb_of(model):
            return f"{model.noun()}:{rule.__name__}"

        @wraps(rule)
        def move(self, *args, by, **kwargs):
            with transaction():
                ask(who, self, by)
                before = self.status
                claim(self, sources, target(self) if callable(target) else target)
                detail = rule(self, *args, by=by, **kwargs) or {}
                self.save()
                self.moved(
                    Notice.announce(
                        verb_of(type(self)),
                        self,
                        by,
                        self.recipients(),
                        {"status": (before, self.status)},
                        **detail,
                    )
                )
            return self

        move.sources, move.who = sources, who
        return move

    return decorate


def starts(
    *sources: str, who: Callable[[Any, Any], bool] = anyone
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Decorate a step that makes or changes something besides the status, with the statuses from
    which it can be taken (none: any).

    Its first argument that is a record is what it is done to, its last, or the one named `by`, who
    does it. `who`: as for step().
    """

    def decorate(rule):
        @wraps(rule)
        def begin(*args, **kwargs):
            record = next(one for one in args if isinstance(one, Base))
            ask(who, record, kwargs["by"] if "by" in kwargs else args[-1])
            return rule(*args, **kwargs)

        begin.sources, begin.who = sources, who
        return begin

    return decorate
