"""The short version of `make soak`: a bad day of half a minute."""

from models import db
from models.settings import settings

from . import engine
from .conftest import settle
from .soak import bad_day


def test_nothing_acknowledged_is_lost_however_often_the_server_is_killed(school, tmp_path, fonts):
    db.close()
    folder = tmp_path / "bad_day"
    figures = bad_day(folder, fonts, seconds=25, seed=7, backups=tmp_path / "backups")
    assert figures["kills"] >= 3 and figures["acknowledged"] >= 6 and figures["backups"] >= 1, figures
    assert settings.folder == folder
    engine.current().drop(folder)
    settle(school.folder, fonts)
    db.connect()
