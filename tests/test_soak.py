"""The short version of `make soak`: a bad day of three kills, in a process of its own."""

import os
import subprocess
import sys

import pytest

from . import engine
from .test_house_rules import HERE

# PostgreSQL has its turn by `make soak ENGINE=postgresql`: here it would cost every run a minute


@pytest.mark.long
def test_nothing_acknowledged_is_lost_however_often_the_server_is_killed():
    address = (
        {"TEST_DATABASE_URL": engine.current().address}
        if engine.current().name == "postgresql"
        else {}
    )
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "tests.soak",
        "--minutes",
        "0.15",
        "--seed",
        "7",
        "--engine",
        engine.current().name,
    ]
    day = subprocess.run(
        command, cwd=HERE, env=os.environ | address, capture_output=True, text=True
    )
    assert day.returncode == 0, day.stderr[-3000:]
    figures = {line[:22].strip(): line[22:] for line in day.stdout.splitlines()}
    assert (
        int(figures["kills"]) >= 3
        and int(figures["acknowledged"]) >= 6
        and int(figures["backups"]) >= 1
    ), figures
    assert "all fit" in figures["found"] and "all fit" in figures["restored"]
