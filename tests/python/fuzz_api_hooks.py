"""What schemathesis loads beside its settings: who calls, and a count of what was answered.

The role stays signed in, whatever the fuzzing does to its sign-in: a sign-out is followed by a new sign-in, a changed
password is remembered. Half of the calls that take what nobody guesses get what is right."""

import atexit
import json
import os
import uuid
import zlib
from collections import Counter, defaultdict
from itertools import count

import schemathesis
from market import Person

BASE = os.environ["PARLEY_FUZZ_BASE"]
COUNTS = os.environ["PARLEY_FUZZ_COUNTS"]
IDS = json.loads(os.environ["PARLEY_FUZZ_IDS"])
EMAIL = os.environ.get("PARLEY_FUZZ_EMAIL")

LOGIN = "POST /api/v1/auth/login"
LOGOUT = "POST /api/v1/auth/logout"
CHANGE_PASSWORD = "POST /api/v1/auth/password"

answers = defaultdict(Counter)
turns = defaultdict(count)
me = Person(BASE, EMAIL, os.environ["PARLEY_FUZZ_PASSWORD"]) if EMAIL else None
spent = set()


def is_id(value):
    try:
        return str(uuid.UUID(value)) == value
    except (AttributeError, TypeError, ValueError):
        return False


def find_something(case):
    """Lets every other call with an id lead somewhere. What follows from an earlier call knows its ids by itself."""
    if case.meta is None or case.meta.phase.name == "stateful" or not is_id(case.path_parameters.get("id")):
        return
    for path, ids in IDS.items():
        if case.operation.path.startswith(path):
            turn = next(turns[case.operation.label])
            if turn % 2:
                case.path_parameters["id"] = ids[turn // 2 % len(ids)]


def is_lucky(body):
    """By what is in it, so that the same body is the same when it is repeated."""
    return zlib.crc32(repr(body).encode()) % 2 == 0


if me:

    @schemathesis.auth(refresh_interval=None)
    class Authorization:
        def get(self, case, context):
            return me.authorization

        def set(self, case, authorization, context):
            case.headers["Authorization"] = authorization

    @schemathesis.hook
    def before_call(context, case, kwargs):
        # Made up before the sign-out that has just been tried. Made-up tokens stay, to be refused.
        if case.headers.get("Authorization") in spent:
            case.headers["Authorization"] = me.authorization
        find_something(case)
        label, body = case.operation.label, case.body
        if not isinstance(body, dict) or not is_lucky(body):
            return
        if label == LOGIN and isinstance(body.get("email"), str) and isinstance(body.get("password"), str):
            body.update(email=me.email, password=me.password)
        if label == CHANGE_PASSWORD and isinstance(body.get("current"), str):
            body["current"] = me.password


@schemathesis.hook
def after_call(context, case, response):
    label, status = case.operation.label, response.status_code
    # A wrong method goes to the operation's address, and some calls come with another token or none, to be refused.
    if case.method.upper() != case.operation.method.upper():
        return
    if me and case.headers.get("Authorization") != me.authorization:
        return
    answers[label][status] += 1
    if me and status == 204 and label == CHANGE_PASSWORD:
        me.password = case.body["new"]
    if me and status == 204 and label == LOGOUT:
        spent.add(me.authorization)
        me.sign_in()


@atexit.register
def tell():
    with open(COUNTS, "w") as file:
        json.dump({"answers": answers, "isSignedIn": me.is_signed_in() if me else None}, file)
