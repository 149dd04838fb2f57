"""What axe-core finds wrong on a page of ours."""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

# Lanes are other pages, whose frames are read by nobody.
UNSEEN = [["#dock"], ["iframe"]]
CONTRAST = "color-contrast"  # the rule that all of a page's colours come under, and the dearest
# Of views that are hidden axe tells nothing, and walks through each part of them before it knows:
# they are away meanwhile.
_FIND = """async ([context, options]) => {
  const away = [...document.querySelectorAll('section[hidden]')].map((section) => {
    const place = document.createComment('');
    section.replaceWith(place);
    return { section, place };
  });
  const { violations } = await axe.run(context, options);
  for (const { section, place } of away) place.replaceWith(section);
  return violations;
}"""


def violations(page: "Page", only: str = "", but: str = "") -> list[dict[str, Any]]:
    """Return what breaks a rule of axe's: all of them, ``only`` one, or all ``but`` one."""
    base = pytest.importorskip("axe_playwright_python.base")
    if not page.evaluate("'axe' in window"):  # what has run before runs quicker
        page.evaluate(base.AXE_SCRIPT)
    options: dict[str, Any] = {"resultTypes": ["violations"]}  # the rest is not told
    if only:
        options["runOnly"] = [only]
    if but:
        options["rules"] = {but: {"enabled": False}}
    found: list[dict[str, Any]] = page.evaluate(_FIND, [{"exclude": UNSEEN}, options])
    return found


def findings(page: "Page", only: str = "", but: str = "") -> list[Any]:
    """Return what of it is serious or critical for people."""
    return [
        (one["id"], node["target"], node["failureSummary"][:300])
        for one in violations(page, only, but)
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
