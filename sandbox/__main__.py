"""`python -m sandbox`: the look-alikes alone."""

import argparse
import asyncio

from sandbox.server import run


def main() -> None:
    """Read the command line and serve until told to stop."""
    parser = argparse.ArgumentParser(
        prog="sandbox", description="Look-alikes of Google Calendar, Microsoft Graph and Cronofy's links."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port for HTTP; 0 takes a free one")
    parser.add_argument("--tls-port", type=int, default=0, help="port for HTTPS; 0 takes a free one")
    parser.add_argument("--ca-file", help="where to write the certificate authority's certificate (PEM)")
    parser.add_argument(
        "--google-calendar",
        action="append",
        default=[],
        metavar="ID",
        help="a Google calendar open to every subject; repeatable",
    )
    parser.add_argument(
        "--mailbox",
        action="append",
        default=[],
        metavar="USER[/CALENDAR_ID]",
        help="a Microsoft mailbox, and a calendar in it beside the default one; repeatable",
    )
    asked = parser.parse_args()
    asyncio.run(
        run(
            asked.host,
            asked.port,
            asked.tls_port,
            asked.ca_file,
            google_calendars=asked.google_calendar,
            mailboxes=asked.mailbox,
            announce=lambda line: print(line, flush=True),  # noqa: T201 - data goes to stdout
        )
    )


if __name__ == "__main__":
    main()
