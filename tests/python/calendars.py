"""Reads calendar files with the `icalendar` package and tells what it found.

RFC 5545's rules about the bytes are checked here, since a tolerant parser would forgive them. One JSON document comes
in, a list of texts; one goes out, a list of what each says.
"""

import json
import sys

from icalendar import Calendar

EVENT = {"UID", "SEQUENCE", "DTSTAMP", "CREATED", "LAST-MODIFIED", "DTSTART", "DTEND", "SUMMARY", "DESCRIPTION", "STATUS",
         "ORGANIZER", "ATTENDEE"}
ALARM = {"ACTION", "DESCRIPTION", "TRIGGER"}
ONCE = EVENT - {"ATTENDEE"}


def require(condition, complaint):
    if not condition:
        raise AssertionError(complaint)


def check_lines(raw):
    """RFC 5545 section 3.1: CR LF ends every line, none has more than 75 octets, none breaks a character."""
    require(raw.endswith(b"\r\n"), "the last line has no end")
    lines = raw[:-2].split(b"\r\n")
    for line in lines:
        require(b"\r" not in line and b"\n" not in line, f"a bare line break in {line!r}")
        require(len(line) <= 75, f"{len(line)} octets: {line!r}")
        line.decode("utf-8")
        require(all(byte >= 32 or byte == 9 for byte in line), f"a control character in {line!r}")


def person(address):
    return {"address": str(address), **{key: str(value) for key, value in address.params.items()}}


def read(text):
    raw = text.encode("utf-8")
    check_lines(raw)
    found = list(Calendar.from_ical(raw, multiple=True))
    require(len(found) == 1, f"{len(found)} calendars")
    calendar = found[0]
    require(set(calendar) == {"VERSION", "PRODID", "METHOD"}, f"{set(calendar)}")
    require(str(calendar["VERSION"]) == "2.0", "another version")
    for part in calendar.walk():
        require(not part.errors, f"{part.name}: {part.errors}")
    require([part.name for part in calendar.subcomponents] == ["VEVENT"], "not one event")
    event = calendar.subcomponents[0]
    require(set(event) == EVENT, f"{set(event) ^ EVENT}")
    for name in ONCE:
        require(not isinstance(event[name], list), f"{name} twice")
    alarms = event.subcomponents
    for alarm in alarms:
        require(alarm.name == "VALARM" and set(alarm) == ALARM, f"{alarm.name} {set(alarm)}")
        require(str(alarm["ACTION"]) == "DISPLAY", "another action")
    for name in ("DTSTAMP", "CREATED", "LAST-MODIFIED", "DTSTART", "DTEND"):
        require(event[name].dt.utcoffset().total_seconds() == 0, f"{name} is not UTC")
    # Written by the same package again it must say the same: nothing was read in a way that it can't say.
    again = Calendar.from_ical(calendar.to_ical())
    require(again == calendar, "another calendar after writing and reading it")
    return {
        "method": str(calendar["METHOD"]),
        "uid": str(event["UID"]),
        "sequence": int(event["SEQUENCE"]),
        "begins": event["DTSTART"].dt.timestamp() * 1000,
        "ends": event["DTEND"].dt.timestamp() * 1000,
        "stamp": event["DTSTAMP"].dt.timestamp() * 1000,
        "summary": str(event["SUMMARY"]),
        "description": str(event["DESCRIPTION"]),
        "status": str(event["STATUS"]),
        "organizer": person(event["ORGANIZER"]),
        "attendees": [person(attendee) for attendee in event["ATTENDEE"]],
        "alarms": [-alarm["TRIGGER"].dt.total_seconds() for alarm in alarms],
    }


if __name__ == "__main__":
    print(json.dumps([read(text) for text in json.load(sys.stdin)]))
