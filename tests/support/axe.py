"""What axe-core finds wrong on a page of ours."""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

# Lanes are other pages, whose frames are read by nobody. Of views that are hidden axe tells
# nothing, and walks through each part of them before it knows: they are away meanwhile. The rule of
# contrast is the dearest, and all of a page's colours come under it. It is asked of one text of
# each kind: those are alike whose elements, and all that these stand in, differ in nothing that a
# style sheet knows (of a file's, which a page may not read: in names, classes and states).
_FIND = """async (isAsked) => {
  const contrast = 'color-contrast';
  const rules = [...document.styleSheets].map((sheet) => {
    try {
      return [...sheet.cssRules].map((rule) => rule.cssText).join();
    } catch {
      return '';
    }
  }).join();
  const tells = ({ name, value }) => /^(class|style|type|disabled|open)$/.test(name)
    || rules.includes(name === 'id' ? `#${value}` : `[${name}`);
  const away = [...document.querySelectorAll('section[hidden]')].map((section) => {
    const place = document.createComment('');
    section.replaceWith(place);
    return { section, place };
  });
  const kinds = new Map([[document.body, '']]);
  const kind = (node) => {
    if (!kinds.has(node)) {
      const told = [...node.attributes].filter(tells);
      const own = [node.localName, ...told.map(({ name, value }) => `${name}=${value}`)];
      kinds.set(node, `${kind(node.parentElement)} > ${own.join(' ')}`);
    }
    return kinds.get(node);
  };
  const isText = (node) => node.matches('input, select, textarea')
    || [...node.childNodes].some((one) => one.nodeType === Node.TEXT_NODE && one.data.trim());
  const texts = new Map();
  for (const node of [...document.body.querySelectorAll('*')].reverse()) {
    if (isText(node) && node.checkVisibility()) texts.set(kind(node), node);
  }
  const exclude = [['#dock'], ['iframe']];
  const found = [];
  for (const [include, options] of [
    [[document], { rules: { [contrast]: { enabled: false } } }],
    [[...texts.values()], { runOnly: [contrast] }],
  ].filter(([{ length }], at) => length && isAsked[at])) {
    const asked = await axe.run({ include, exclude }, { resultTypes: ['violations'], ...options });
    found.push(...asked.violations);
  }
  for (const { section, place } of away) place.replaceWith(section);
  return found;
}"""


def violations(page: "Page", colors: bool = True, others: bool = True) -> list[dict[str, Any]]:
    """Return what breaks a rule of axe's: that of contrast, and all others."""
    base = pytest.importorskip("axe_playwright_python.base")
    if not page.evaluate("'axe' in window"):  # what has run before runs quicker
        page.evaluate(base.AXE_SCRIPT)
    found: list[dict[str, Any]] = page.evaluate(_FIND, [others, colors])
    return found


def findings(page: "Page", colors: bool = True, others: bool = True) -> list[Any]:
    """Return what of it is serious or critical for people."""
    return [
        (one["id"], node["target"], node["failureSummary"][:300])
        for one in violations(page, colors, others)
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
