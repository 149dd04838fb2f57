// Light and dark, large type, full screen: what a projector and a tired eye need.

import { ofBrowser } from "./memory.js";

const root = document.documentElement;
const prefersDark = matchMedia("(prefers-color-scheme: dark)");
let current = null;

export const isDark = () => (root.dataset.theme ?? (prefersDark.matches ? "dark" : "light")) === "dark";

/** Return the colours that canvases need; read anew when the theme changes. */
export function theme() {
  if (!current) {
    const style = getComputedStyle(root);
    const read = (name) => style.getPropertyValue(`--${name}`).trim();
    current = { dark: isDark(), font: "12px system-ui, sans-serif" };
    for (const name of ["ink", "paper", "faint", "held", "request", "warning"]) current[name] = read(name);
  }
  return current;
}

function changed() {
  current = null;
  document.getElementById("theme").setAttribute("aria-pressed", String(isDark()));
  document.getElementById("large").setAttribute("aria-pressed", String("large" in root.dataset));
  dispatchEvent(new Event("theme"));
}

export function toggleTheme() {
  root.dataset.theme = isDark() ? "light" : "dark";
  ofBrowser.set("duplex.theme", root.dataset.theme);
  changed();
}

export function toggleLarge() {
  if ("large" in root.dataset) delete root.dataset.large;
  else root.dataset.large = "";
  ofBrowser.set("duplex.large", "large" in root.dataset ? "1" : "");
  changed();
}

export function toggleFull() {
  if (document.fullscreenElement) document.exitFullscreen();
  else root.requestFullscreen?.().catch(() => {});
}

export function startTheme() {
  const stored = ofBrowser.get("duplex.theme");
  if (stored) root.dataset.theme = stored;
  if (ofBrowser.get("duplex.large")) root.dataset.large = "";
  prefersDark.addEventListener("change", changed);
  changed();
}
