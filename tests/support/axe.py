"""What axe-core finds wrong on a page of ours."""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

# Lanes are other pages, whose frames are read by nobody; of views that are hidden axe tells
# nothing, and walks through each part of them before it knows.
UNSEEN = [["#dock"], ["iframe"], ["section[hidden]"]]
VIOLATIONS = {"resultTypes": ["violations"]}  # the rest is not told
CONTRAST = "color-contrast"  # the rule that all of a page's colours come under


def findings(page: "Page", *rules: str) -> list[Any]:
    """Return what is serious or critical for people, by all rules or by those that are named."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    options = {**VIOLATIONS, **({"runOnly": rules} if rules else {})}
    found = axe.run(page, context={"exclude": UNSEEN}, options=options)
    return [
        (one["id"], node["target"], node["failureSummary"][:300])
        for one in found.response["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
