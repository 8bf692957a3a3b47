"""The black-box attacks of `make attack`, each of which must be held off."""

import pytest

from . import attack


@pytest.mark.parametrize("case", attack.CASES, ids=lambda case: case.__name__)
def test_held_off(case):
    with attack.school() as place:
        assert case(place) == [], case.__doc__
