"""The black-box attacks of `make attack`, each of which must be held off."""

import pytest

from models import db
from models.settings import settings

from . import attack


@pytest.mark.parametrize("case", attack.CASES, ids=lambda case: case.__name__)
def test_held_off(case):
    place = attack.school()
    try:
        assert case(place) == [], case.__doc__
    finally:
        db.close()
        settings.load()
