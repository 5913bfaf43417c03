"""Writes clock_changes.txt: wall times around changes of clocks, as Python's zoneinfo has them.

    python3 tests/when/clock_changes.py > tests/when/clock_changes.txt

A line: zone, wall time, `at`, `fold` or `gap`, and moments in UTC. A fold has both; a gap has the wall time read with
the offset that holds after it, and with the one before.
"""
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

CHANGES = [
    ("America/Sao_Paulo", "2018-02-18 00:00"),
    ("America/Sao_Paulo", "2018-11-04 00:00"),
    ("America/New_York", "2027-03-14 02:00"),
    ("America/New_York", "2027-11-07 02:00"),
    ("Europe/Lisbon", "2027-03-28 01:00"),
    ("Europe/Lisbon", "2027-10-31 02:00"),
    ("Australia/Lord_Howe", "2027-04-04 02:00"),
    ("Australia/Lord_Howe", "2027-10-03 02:00"),
    ("America/Santiago", "2027-04-04 00:00"),
    ("America/Santiago", "2027-09-05 00:00"),
    ("Pacific/Apia", "2011-12-30 00:00"),
    ("Pacific/Apia", "2011-12-31 00:00"),
]


def utc(at):
    return at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M")


for name, change in CHANGES:
    zone = ZoneInfo(name)
    for step in range(-14, 18):
        wall = datetime.fromisoformat(change) + timedelta(minutes=10 * step)
        early, late = (wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
        if early.utcoffset() == late.utcoffset():
            kind, moments = "at", [early]
        elif early.utcoffset() > late.utcoffset():
            kind, moments = "fold", [early, late]
        else:
            # In a gap fold 0 has the offset from before it, fold 1 the one from after.
            kind, moments = "gap", [late, early]
        print(name, wall.strftime("%Y-%m-%dT%H:%M"), kind, *map(utc, moments))
