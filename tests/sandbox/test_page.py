import re

import aiohttp

from sandbox.server import Sandbox
from tests.sandbox.clients import PANEL, RECRUITER, Client, google_event, graph_event


async def page(box: Sandbox, http: aiohttp.ClientSession) -> str:
    async with http.get(box.url) as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")
        return await answer.text()


async def test_an_empty_sandbox_has_a_page_too(box: Sandbox, http: aiohttp.ClientSession) -> None:
    text = await page(box, http)
    assert "Google Calendar" in text
    assert text.count("No calendar yet") == 2


async def test_events_show_with_their_local_time_and_private_properties(
    box: Sandbox, http: aiohttp.ClientSession, google: Client, graph: Client
) -> None:
    await google("POST", json=google_event(extendedProperties={"private": {"rev": "17"}}))
    await graph("POST", "/events", graph_event(subject="Panel"))
    text = await page(box, http)
    for shown in (
        RECRUITER,
        "2026-10-06 09:00 Europe/Berlin",
        "<td>rev <code>17</code></td>",
        "meeting1",
        PANEL,
        "Panel",
    ):
        assert shown in text


async def test_a_deleted_event_shows_as_such(
    box: Sandbox, http: aiohttp.ClientSession, google: Client
) -> None:
    await google("POST", json=google_event())
    await google("DELETE", "/meeting1")
    assert re.search(r'<tr class="gone">.*cancelled', await page(box, http))


async def test_whatever_is_in_a_calendar_or_request_stays_text(
    box: Sandbox, http: aiohttp.ClientSession, google: Client
) -> None:
    script = "<script>alert('x')</script>"
    box.state.google.put_calendar(script)
    await google("POST", json=google_event(summary=script))
    await google("GET", "/%3Cscript%3E")
    text = await page(box, http)
    assert "<script" not in text
    assert "&lt;script&gt;" in text
