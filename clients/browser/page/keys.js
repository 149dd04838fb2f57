// The keyboard shortcuts: their overlay, and whether they are in use. Whoever speaks to the computer,
// or hits keys by mistake, switches them off (WCAG 2.1.4).

import { el } from "./dom.js";
import { ofBrowser } from "./memory.js";

const KEYS = [
  ["1 – 6", "keys.views"],
  ["←  →", "keys.era"],
  ["keys.space", "keys.pause"],
  [".", "keys.step"],
  ["l", "keys.bare"],
  ["b", "keys.burst"],
  ["z", "keys.freeze"],
  ["x", "keys.cut"],
  ["n  p", "keys.tour"],
  ["f", "keys.full"],
  ["+", "keys.large"],
  ["d", "keys.dark"],
  ["?", "keys.help"],
];

const STORED = "duplex.no-keys";

/** Whether single keys do something. */
export const areKeysOn = () => !ofBrowser.get(STORED);

/** Show the overlay. */
export function openKeys() {
  const dialog = document.querySelector("dialog");
  if (dialog.open) return;
  const rows = KEYS.flatMap(([key, words]) => [
    el("dt", {}, ...key.split("  ").map((one) =>
      el("kbd", one === "keys.space" ? { say: one } : { textContent: one }))),
    el("dd", { say: words }),
  ]);
  dialog.replaceChildren(
    el("h2", { id: "keys-title", say: "keys.title" }),
    el("dl", {}, ...rows),
    el("label", { className: "field" },
      el("input", { type: "checkbox", id: "keys-on", checked: areKeysOn(),
        on: { change: ({ target }) => ofBrowser.set(STORED, target.checked ? "" : "1") } }),
      el("span", { say: "keys.on" })),
    el("form", { method: "dialog" }, el("button", { say: "keys.close", autofocus: true })),
  );
  dialog.showModal();
}
