"""schemathesis over the server's own OpenAPI description, with all checks, as each role on a server of its own.

PARLEY_SERVER names the program. PARLEY_FUZZ_EXAMPLES: how many calls are made up for each operation, over those that
its description demands; PARLEY_FUZZ_SEED: what to repeat, or `random`; PARLEY_FUZZ_AS: one role only.
"""

import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from market import NEWCOMER, Person, furnish

HERE = Path(__file__).parent
SERVER = os.environ["PARLEY_SERVER"]
LOGS = Path(os.environ.get("PARLEY_OUT", tempfile.gettempdir()), "fuzz-api")
EXAMPLES = int(os.environ.get("PARLEY_FUZZ_EXAMPLES", "10"))
SEED = os.environ.get("PARLEY_FUZZ_SEED", "1")
ONLY = os.environ.get("PARLEY_FUZZ_AS")
# A build machine has two cores at least.
AT_ONCE = 2
# A server or a generator that hangs ends the run and not the day. Ten times what a slow machine takes.
PATIENCE = 600 + 60 * EXAMPLES

ADMIN = {"email": "admin@example.test", "password": "admin of this test"}


@dataclass
class Role:
    name: str
    # So many of the 50 operations must have succeeded at least once, or the run proves nothing: nearly all that the
    # role may do at all, less a few that need what fuzzing rarely makes up.
    operations: int
    account: dict | None = None


ROLES = [
    Role("nobody", 5),
    Role("client", 40),
    Role("provider", 38),
    Role("unapproved provider", 19, NEWCOMER),
    Role("admin", 20, ADMIN),
]


@dataclass
class Result:
    role: str
    complaints: list = field(default_factory=list)
    summary: str = ""


def run_server(folder, *words):
    words = [SERVER, *words, "--data-dir", folder]
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout


def populate(folder):
    """The demo marketplace and an administrator; who can sign in, by role."""
    accounts = json.loads(run_server(folder, "seed", "demo"))["accounts"]
    run_server(folder, "admin", "create", "--email", ADMIN["email"], "--password", ADMIN["password"])
    return {account["role"]: account for account in accounts}


def fuzz(base, account, ids, seed, log, counts):
    """Runs schemathesis, with its leavings beside the counts; whether it found nothing."""
    words = [sys.executable, "-m", "schemathesis.cli", "--config-file", HERE / "fuzz_api.toml", "--no-color", "run"]
    words += [f"{base}/api/openapi.json", "--checks", "all", "--continue-on-failure"]
    words += ["--phases", "examples,coverage,fuzzing,stateful", "--max-examples", str(EXAMPLES), "--seed", seed]
    known = {"PARLEY_FUZZ_BASE": base, "PARLEY_FUZZ_COUNTS": counts, "PARLEY_FUZZ_IDS": json.dumps(ids)}
    # The same seed makes up the same calls only where sets have the same order.
    known |= {"SCHEMATHESIS_HOOKS": HERE / "fuzz_api_hooks.py", "PYTHONPATH": HERE, "PYTHONHASHSEED": 0}
    if account:
        known |= {"PARLEY_FUZZ_EMAIL": account["email"], "PARLEY_FUZZ_PASSWORD": account["password"]}
    environment = os.environ | {name: str(value) for name, value in known.items()}
    with open(log, "w") as file:
        ended = subprocess.run(
            words, stdout=file, stderr=subprocess.STDOUT, timeout=PATIENCE, env=environment, cwd=counts.parent
        )
    return ended.returncode == 0


def findings(log):
    """Between the progress and the advice."""
    found = re.search(r"^=+ (ERRORS|FAILURES) =+$.*?(?=^=+ (WARNINGS|SUMMARY) =+$)", log, re.DOTALL | re.MULTILINE)
    return (found.group() if found else log)[-20_000:]


def judge(role, counts, result):
    """Whether the run proves something: that the role was signed in all the time, and that much succeeded."""
    if not counts.exists():
        result.complaints.append("it never began")
        return
    told = json.loads(counts.read_text())
    answers = {label: Counter(found) for label, found in told["answers"].items()}
    calls = sum(found.total() for found in answers.values())
    done = {label: sum(n for status, n in found.items() if status.startswith("2")) for label, found in answers.items()}
    successful = [label for label, n in done.items() if n]
    share = sum(done.values()) / max(calls, 1)
    result.summary = f"{calls} calls, {share:.0%} of them done; {len(successful)} of {len(answers)} operations"
    if told["isSignedIn"] is False:
        result.complaints.append("its sign-in does not work any more")
    if len(successful) < role.operations:
        failed = ", ".join(sorted(set(answers) - set(successful)))
        result.complaints.append(f"only {len(successful)} operations succeeded, never: {failed}")
    # A login, a renewal and a link may be refused; whoever is signed in is refused nothing else as a stranger.
    may = {"POST /api/v1/auth/login", "POST /api/v1/auth/refresh", "GET /api/v1/attachments/{id}"}
    strange = [label for label, found in answers.items() if found["401"] and label not in may]
    if told["isSignedIn"] is not None and strange:
        result.complaints.append(f"401 while signed in: {', '.join(strange)}")


def run(role, seed):
    result, begin = Result(role.name), time.monotonic()
    log = LOGS / f"{role.name.replace(' ', '-')}.log"
    with tempfile.TemporaryDirectory(prefix="parley-fuzz-") as folder:
        accounts = populate(folder)
        counts, server_log = Path(folder, "counts.json"), log.with_suffix(".server.log")
        words = [SERVER, "serve", "--listen", "127.0.0.1:0", "--data-dir", folder, "--rate-limits", "off"]
        with open(server_log, "w") as errors, subprocess.Popen(words, stdout=subprocess.PIPE, stderr=errors) as server:
            try:
                base = "http://" + json.loads(server.stdout.readline())["listening"]
                people = {name: Person(base, one["email"], one["password"]) for name, one in accounts.items()}
                ids = furnish(base, people["client"], people["provider"])
                account = role.account or accounts.get(role.name)
                if not fuzz(base, account, ids, seed, log, counts):
                    result.complaints.append(f"schemathesis found fault:\n{findings(log.read_text())}")
                judge(role, counts, result)
            except subprocess.TimeoutExpired:
                result.complaints.append(f"not done after {PATIENCE} s:\n{log.read_text()[-2000:]}")
            finally:
                server.terminate()
        if server.returncode != 0:
            result.complaints.append(f"the server ended with {server.returncode}")
        errors = [line for line in server_log.read_text().splitlines() if " ERROR " in line]
        if errors:
            result.complaints.append("the server's log tells of errors:\n" + "\n".join(errors[:20]))
    result.summary += f", {time.monotonic() - begin:.0f} s"
    return result


def main():
    seed = str(secrets.randbelow(2**32)) if SEED == "random" else SEED
    LOGS.mkdir(parents=True, exist_ok=True)
    print(f"seed {seed}, {EXAMPLES} examples an operation; logs in {LOGS}", flush=True)
    roles = [role for role in ROLES if ONLY in (None, role.name)]
    failed = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for result in pool.map(lambda role: run(role, seed), roles):
            print(f"{result.role}: {result.summary}", flush=True)
            for complaint in result.complaints:
                print(f"{result.role}: {complaint}", file=sys.stderr, flush=True)
            if result.complaints:
                failed.append(result.role)
    if failed or not roles:
        again = f"PARLEY_FUZZ_SEED={seed} PARLEY_FUZZ_EXAMPLES={EXAMPLES} PARLEY_FUZZ_AS=…"
        sys.exit(f"fault was found as: {', '.join(failed) or 'no such role'}. To repeat one: {again}")


if __name__ == "__main__":
    main()
