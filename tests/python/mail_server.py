"""A mail server on a free port of this machine. Each mail that it takes is one line of JSON on standard output, read
with Python's own `email` package; the first line tells the port."""

import argparse
import asyncio
import email
import email.policy
import json
import logging
import ssl
import sys
import warnings

from aiosmtpd.smtp import SMTP, AuthResult

import calendars


def tell(what):
    print(json.dumps(what), flush=True)


def read(message):
    defects = [str(defect) for part in message.walk() for defect in part.defects]
    parts = [part for part in message.walk() if not part.is_multipart()]
    files = [part for part in parts if part.get_content_type() == "text/calendar"]
    return {
        "subject": message["Subject"],
        "from": str(message["From"]),
        "to": [{"name": one.display_name, "address": one.addr_spec} for one in message["To"].addresses],
        "headers": sorted(message.keys()),
        "id": message["Message-ID"],
        "date": message["Date"].datetime.timestamp() * 1000,
        "types": [part.get_content_type() for part in parts],
        "text": next(part.get_content() for part in parts if part.get_content_type() == "text/plain"),
        "calendars": [
            {
                "method": part.get_param("method"),
                "name": part.get_filename(),
                "says": calendars.read(part.get_payload(decode=True).decode("utf-8")),
            }
            for part in files
        ],
        "defects": defects + [str(defect) for value in message.values() for defect in value.defects],
    }


class Handler:
    def __init__(self, is_refusing):
        self.is_refusing = is_refusing

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.is_refusing:
            tell({"refused": address})
            return f"550 5.1.1 <{address}>: nobody has this address"
        envelope.rcpt_tos.append(address)
        return "250 known"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        try:
            tell({"sender": envelope.mail_from, "recipients": envelope.rcpt_tos, **read(message)})
        except Exception as error:
            tell({"recipients": envelope.rcpt_tos, "failed": repr(error)})
        return "250 taken"


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--refusing", action="store_true", help="knows nobody")
    parser.add_argument("--login", help="takes mail from this NAME:PASSWORD only")
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"), help="speaks TLS from the first byte")
    return parser.parse_args()


async def main(wanted):
    loop = asyncio.get_running_loop()
    handler = Handler(wanted.refusing)

    def authenticate(server, session, envelope, mechanism, given):
        name, password = wanted.login.split(":", 1)
        is_right = (given.login, given.password) == (name.encode(), password.encode())
        tell({"login": mechanism, "right": is_right})
        return AuthResult(success=is_right, handled=False)

    def session():
        if not wanted.login:
            return SMTP(handler, enable_SMTPUTF8=True)
        # aiosmtpd knows of TLS only where it began it itself, and would warn of what is not so.
        warnings.filterwarnings("ignore", module="aiosmtpd")
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        return SMTP(handler, enable_SMTPUTF8=True, authenticator=authenticate, auth_required=True, auth_require_tls=False)

    context = None
    if wanted.tls:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*wanted.tls)
    server = await loop.create_server(session, "127.0.0.1", wanted.port, ssl=context)
    tell({"port": server.sockets[0].getsockname()[1]})
    # Ends with whoever started it.
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(arguments()))
