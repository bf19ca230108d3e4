"""Several workers open a new file at the same instant: all may write, whoever switches it to a write-ahead log."""

from __future__ import annotations

import threading

from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from plugin.store import sqlite
from plugin.store.kinds import Kind

WORKERS, FILES = 4, 20  # without waiting, one file in five was "locked" for somebody


def test_nobody_finds_a_new_file_locked(tmp_path):
    refused = []

    def work(path, together):
        engine = sqlite.open_engine(make_url(f"sqlite:///{path}"), Kind.LASTING, busy_timeout_s=20)
        together.wait()
        try:
            with engine.begin() as connection:
                connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS rows (one INTEGER)")
        except DBAPIError as exc:
            refused.append(exc)
        finally:
            engine.dispose()

    for number in range(FILES):
        path = tmp_path / f"{number}.db"
        sqlite.create_file(path)
        together = threading.Barrier(WORKERS)
        workers = [threading.Thread(target=work, args=(path, together)) for _ in range(WORKERS)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert refused == []
