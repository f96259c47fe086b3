"""A real Chromium, where the machine has one; none is downloaded."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.waiting import HANGS_AFTER_S

_AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
expect.set_options(timeout=1000 * HANGS_AFTER_S)
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A headless Chromium; the test is skipped where there is none."""
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip(f"there is no Chromium on this machine (looked for {', '.join(NAMES)})")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program)
        yield browser
        await browser.close()


async def tab_to(page: Page, selector: str) -> None:
    """Presses Tab until an element has the focus; whatever has it on the way must be seen to have it."""
    for _ in range(80):
        await page.keyboard.press("Tab")
        focused = page.locator(":focus")
        outline = await focused.evaluate(
            "each => getComputedStyle(each).outlineStyle + getComputedStyle(each).outlineWidth"
        )
        assert outline == "solid3px", await focused.evaluate("each => each.outerHTML")
        box = await focused.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        if await page.locator(f"{selector}:focus").count():
            return
    raise AssertionError(f"no Tab leads to {selector}")


async def violations(page: Page) -> list[Any]:
    """What axe-core finds wrong with a page, by all of its rules."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(_AXE)
    found: list[Any] = await page.evaluate(
        "axe.run({resultTypes: ['violations']}).then(found => found.violations.map("
        "each => [each.id, each.help, each.nodes.map(node => node.html)]))"
    )
    return found
