"""A browser that keeps nothing: the page works all the same, and forgets with its end."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.watching import Watched
from tests.support import chromium
from tests.support.processes import Lecture

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow


def test_a_browser_that_blocks_cookies(
    browser: "Browser", lecture: Lecture, tmp_path: Path
) -> None:
    if words := chromium.missing(chromium.WHOLE):  # the one that has settings
        pytest.skip(words)
    from playwright.sync_api import Error

    profile = tmp_path / "Default" / "Preferences"
    profile.parent.mkdir()
    blocked = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    profile.write_text(json.dumps(blocked))
    with browser.browser_type.launch_persistent_context(
        tmp_path, executable_path=chromium.WHOLE, args=[chromium.FRUGAL], reduced_motion="reduce"
    ) as context:
        watched = Watched(context, lecture, has_key=True)
        page = watched.open("timeline")
        for store in ("localStorage", "sessionStorage"):
            with pytest.raises(Error, match="Access is denied"):
                page.evaluate(f"{store}.length")
        page.wait_for_selector("#role:has-text('Lecturer')")
        page.select_option("#language", "es")
        page.wait_for_selector("#role:has-text('Docente')")
        page.click("#theme")
        page.click("#help")
        page.click("#keys-on")
        page.click("dialog button")
        page.keyboard.press("3")
        assert page.locator("section#timeline").is_visible()  # keys are off, as asked
        page.click("nav a[href='#chat']")
        page.fill("#chat-name", "Ana")
        page.click("form.connect button")
        page.wait_for_selector("#chat-text:enabled")
        page.reload()
        page.wait_for_selector("#role:has-text('Viewer')")  # forgotten
        watched.check()
