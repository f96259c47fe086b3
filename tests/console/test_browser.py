"""The console in a real browser: without JavaScript, by keyboard alone, and as axe-core judges it."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from bookings.store import Store
from tests.console.browsing import chromium, tab_to, violations
from tests.console.filled import HOSTILE, fill
from tests.console.operator import PASSWORD
from tests.console.test_dead_letters import refuse
from tests.integration.calendars import GOOGLE, World, one_part, utc


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


async def sign_in(page: Page, address: str, path: str = "") -> None:
    await page.goto(f"{address}/console/{path}")
    await page.get_by_label("Your name").fill("Anna")
    await page.get_by_label("Password of this console").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()


async def test_by_keyboard_alone_and_without_scripts_a_dead_letter_is_replayed(
    browser: Browser, world: World, store: Store, address: str
) -> None:
    await refuse(world, "refused")
    await refuse(world, "not-ticked")
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    await page.goto(f"{address}/console/dead-letters")

    await tab_to(page, "#name")
    await page.keyboard.type("Anna")
    await tab_to(page, "#password")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page).to_have_title("Dead letters · sequence-sync")

    await tab_to(page, ".skip")
    await page.keyboard.press("Enter")
    await tab_to(page, "main select")  # past all that is above
    await tab_to(page, "tr:has-text('refused') input[type=checkbox]")
    await page.keyboard.press("Space")
    await tab_to(page, "button[value='replay ticked']")
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("Replay 1 dead letter?")
    assert len(await store.dead_letters(limit=5)) == 2
    await tab_to(page, "button.main")
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("Replayed: 1 of 1")
    await world.work_until_done()
    assert world.event("google").starts_at == utc(11)

    await tab_to(page, "th a")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("row", name="interviews")).to_contain_text("written")
    await tab_to(page, ".out button")
    await page.keyboard.press("Enter")
    await expect(page).to_have_title("Sign in · sequence-sync")
    assert complaints == []  # nothing that the Content-Security-Policy had to stop


async def test_axe_finds_nothing_on_any_page_in_either_light_and_on_the_smallest_screen(
    browser: Browser, world: World, address: str
) -> None:
    await fill(world)
    context = await browser.new_context(bypass_csp=True, reduced_motion="reduce")  # axe is a script
    page = await context.new_page()
    await page.set_content("<img src=x>")
    assert await violations(page) != []  # it does look
    await page.goto(f"{address}/console/")
    await judge(page)
    await sign_in(page, address)
    await page.get_by_text("The same as a table").click()
    await judge(page)
    hostile = (await world.booking(one_part("789", event_id=HOSTILE))).id
    refused = (await world.booking(one_part("123", event_id="refused-0"))).id
    waits = (await world.booking(one_part("456", event_id="waits-for-its-account"))).id
    world.sandbox.state.google.put_calendar(GOOGLE, gone=True)
    await world.accept(one_part("123", event_id="parked-" + 12 * "long-"))
    await world.work()
    [(unreadable, _), (unrouted, _), *_] = await world.store.dead_letters(limit=5)
    for path in (
        "bookings",
        "bookings?find=nobody",
        f"bookings/{refused}",
        f"bookings/{waits}",
        "dead-letters",
        "dead-letters?reason=permanent&since=soon",
        f"dead-letters/{unrouted}",
        "waiting",
        "accounts",
        "audit",
        "nothing",
    ):
        await page.goto(f"{address}/console/{path}")
        await judge(page)
    for path in (f"bookings/{hostile}", f"dead-letters/{unreadable}"):
        await page.goto(f"{address}/console/{path}")
        await page.get_by_role("button", name="Reveal what it says").click()
        await judge(page)
    await page.goto(f"{address}/console/dead-letters")
    await page.get_by_role("button", name="Replay all").click()
    await judge(page)
    await page.locator("button.main").click()
    await judge(page)
    await page.goto(f"{address}/console/waiting")
    await page.get_by_role("button", name="Try all now").click()
    await judge(page)


async def judge(page: Page) -> None:
    """Fails where axe-core finds a violation, or where one must scroll sideways."""
    for scheme, width in (("light", 1280), ("dark", 320)):
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        await page.set_viewport_size({"width": width, "height": 800})
        assert await violations(page) == [], f"{page.url} {scheme} {width}"
        hidden = await page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert hidden <= 0, f"{page.url} is wider than {width} pixels"


async def test_on_the_smallest_screen_a_table_is_still_one_for_a_screen_reader(
    browser: Browser, world: World, address: str
) -> None:
    await refuse(world, "refused")
    context = await browser.new_context(viewport={"width": 320, "height": 800})
    page = await context.new_page()
    await sign_in(page, address, "dead-letters")
    table = page.get_by_role("table", name="Dead letters, newest first")
    [row] = await table.get_by_role("row").filter(has=page.get_by_role("rowheader")).all()
    assert await row.get_by_role("rowheader").inner_text() == "refused hiring"
    assert await row.get_by_role("checkbox", name="refused, part 123, interviews").count() == 1
    assert await table.get_by_role("columnheader").all_inner_texts() == [
        "Ticked", "Event", "Part", "Calendar", "Reason", "Died",
    ]  # fmt: skip


async def test_a_link_in_an_alert_leads_to_its_page(browser: Browser, address: str) -> None:
    page = await browser.new_page(java_script_enabled=False)
    await page.goto(f"data:text/html,<a href='{address}/console/accounts'>alert</a>")
    await page.get_by_text("alert").click()
    await expect(page).to_have_title("Sign in · sequence-sync")
    await page.get_by_label("Your name").fill("Anna")
    await page.get_by_label("Password of this console").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page).to_have_title("Accounts · sequence-sync")
    await page.goto(f"data:text/html,<a href='{address}/console/audit'>alert</a>")
    await page.get_by_text("alert").click()
    await expect(page).to_have_title("Audit record · sequence-sync")  # signed in as before
