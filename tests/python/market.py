"""People of a marketplace over HTTP, and something for them to do."""

import json
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

NEWCOMER = {"email": "newcomer@example.test", "password": "newcomer of this test"}


def call(base, method, path, body=None, authorization=None):
    """The status and the JSON of the answer."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": authorization} if authorization else {})
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{base}/api/v1{path}", data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=300) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


class Person:
    def __init__(self, base, email, password):
        self.base, self.email, self.password = base, email, password
        self.sign_in()

    def sign_in(self):
        credentials = {"email": self.email, "password": self.password}
        status, answer = call(self.base, "POST", "/auth/login", credentials)
        if status != 200:
            raise RuntimeError(f"{self.email} can't sign in: {status}")
        self.authorization = f"Bearer {answer['accessToken']}"

    def is_signed_in(self):
        status, answer = call(self.base, "GET", "/users/me", authorization=self.authorization)
        return status == 200 and answer["email"] == self.email

    def make(self, path, body):
        status, made = call(self.base, "POST", path, body, self.authorization)
        if status != 201:
            raise RuntimeError(f"POST {path}: {status} {made}")
        return made


def furnish(base, client, provider):
    """A newcomer; and more than fuzzing uses up: offers that wait, projects with meetings of either side, one of them
    about to begin. What there is, by the paths that lead to it and that fuzzing doesn't find by itself."""
    call(base, "POST", "/auth/register", NEWCOMER | {"name": "Newcomer", "role": "provider"})
    now = datetime.now(UTC)
    soon, later = (now + timedelta(minutes=9)).isoformat(), (now + timedelta(days=30)).isoformat()
    proposals, meetings = [], []
    for number in range(16):
        request = client.make("/requests", {"title": f"Wish {number}", "description": "In full."})
        price = {"amountMinor": 125_000, "currency": "EUR"}
        offer = {"price": price, "scope": "All of it.", "deadline": later, "expiresAt": later}
        proposal = provider.make(f"/requests/{request['id']}/proposals", offer)
        if number % 2:
            proposals.append(proposal["id"])
            continue
        project = client.make(f"/proposals/{proposal['id']}/accept", {})["project"]
        for host, at in ((client, soon), (provider, soon), (client, later), (provider, later)):
            meeting = {"projectId": project["id"], "type": "scheduled", "scheduledAt": at}
            meetings.append(host.make("/meetings", meeting)["id"])
            host.make("/messages", {"conversationId": project["conversationId"], "content": "Hello."})
    return {
        "/api/v1/admin/providers/": [project["providerIds"][0]],
        "/api/v1/proposals/": proposals,
        "/api/v1/meetings/{id}": meetings,
    }
