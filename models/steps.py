"""@step: the one door between two statuses. Claim, rule, history and what follows from it in one transaction."""

from functools import wraps

from .base import Refused, transaction
from .notice import Notice


def words(statuses):
    return " or ".join(f"“{status}”" for status in statuses)


def claim(record, sources, target):
    """Move `record` from one of `sources` to `target` in the database; raise Refused if another got there first."""
    model = type(record)
    claimed = model.update(status=target, version=model.version + 1).where(model.id == record.id, model.status.in_(sources)).execute()
    fresh = model.get_by_id(record.id)
    if not claimed:
        raise Refused(f"{record} is “{fresh.status}”. This can be done only while it is {words(sources)}. Nothing was changed.")
    record.__data__ |= fresh.__data__
    record.__rel__.clear()
    record._dirty.clear()


def step(source, target):
    """Decorate a method that moves its record from `source` (a status, or several) to `target` (a status, or a function of the record).

    The method holds the rule, may change fields, may raise Refused, and may return a dict of details for the history.
    It is called with `by=` (a User): `log.complete(by=alice)`. Two at once: one wins, the other is refused.
    """
    sources = (source,) if isinstance(source, str) else source

    def decorate(rule):
        def verb_of(model):
            return f"{model.noun()}:{rule.__name__}"

        @wraps(rule)
        def move(self, *args, by, **kwargs):
            with transaction():
                before = self.status
                claim(self, sources, target(self) if callable(target) else target)
                detail = rule(self, *args, by=by, **kwargs) or {}
                self.save()
                self.moved(Notice.announce(verb_of(type(self)), self, by, self.told(), {"status": (before, self.status)}, **detail))
            return self

        move.sources = sources
        return move

    return decorate


def starts(*sources):
    """Decorate a creation step (a function of the earlier record) with the statuses of that record from which it can be taken."""

    def decorate(rule):
        rule.sources = sources
        return rule

    return decorate
