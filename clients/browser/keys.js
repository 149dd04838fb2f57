// The overlay with the keyboard shortcuts.

import { el } from "./dom.js";

const KEYS = [
  ["1 – 6", "keys.views"],
  ["←  →", "keys.era"],
  ["keys.space", "keys.pause"],
  [".", "keys.step"],
  ["b", "keys.burst"],
  ["z", "keys.freeze"],
  ["x", "keys.cut"],
  ["f", "keys.full"],
  ["+", "keys.large"],
  ["d", "keys.dark"],
  ["?", "keys.help"],
];

/** Show it. */
export function openKeys() {
  const dialog = document.getElementById("keys");
  if (dialog.open) return;
  const rows = KEYS.flatMap(([key, words]) => [
    el("dt", {}, ...key.split("  ").map((one) =>
      el("kbd", one === "keys.space" ? { say: one } : { textContent: one }))),
    el("dd", { say: words }),
  ]);
  dialog.replaceChildren(
    el("h2", { id: "keys-title", say: "keys.title" }),
    el("dl", {}, ...rows),
    el("form", { method: "dialog" }, el("button", { say: "keys.close", autofocus: true })),
  );
  dialog.showModal();
}
