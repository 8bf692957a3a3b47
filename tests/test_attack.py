"""The black-box attacks of `make attack`, each of which must be held off."""

import pytest

from . import attack


@pytest.mark.parametrize("case", attack.CASES, ids=lambda case: case.__name__)
def test_held_off(case):
    with attack.school() as place:
        assert case(place) == [], case.__doc__


def test_held_off_all_that_only_read():
    with attack.school() as place:
        assert {case.__name__: case(place) for case in attack.READING} == dict.fromkeys(
            (case.__name__ for case in attack.READING), []
        )
