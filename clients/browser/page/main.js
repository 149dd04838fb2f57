// The page: which view is shown, and the keys.

import { notify, saying } from "./dom.js";
import { mountAsked } from "./hall/asked.js";
import { areKeysOn, openKeys } from "./keys.js";
import { language, say, translate, useLanguage } from "./i18n.js";
import { showLine } from "./line.js";
import { room } from "./room.js";
import { back, becomeScreen, mountTour, next, stepNow, tellWhere } from "./script/tour.js";
import { startTheme, toggleFull, toggleLarge, toggleTheme } from "./theme.js";

const VIEWS = ["timeline", "race", "chat", "wire", "limits", "room"];
const HOMES = { speaker: "script/" }; // folders of views that stand in one
const SHOWN = [...VIEWS, ...Object.keys(HOMES)];
const MOMENT_MS = 10_000;
const shown = new Map(); // view name: its module and section
let current = null;
let turn = 0; // counts the routes taken: whoever chooses another view meanwhile gets that one

/** Read an address such as #race?preset=burst. */
function readHash() {
  const [name, query = ""] = location.hash.slice(1).split("?");
  const parameters = new URLSearchParams(query);
  if (name.startsWith("key=")) return { name: "timeline", parameters: new URLSearchParams(name) };
  return { name: SHOWN.includes(name) ? name : name === "help" ? "help" : "timeline", parameters };
}

async function route() {
  const mine = (turn += 1);
  const { name, parameters } = readHash();
  const key = parameters.get("key");
  if (key) {
    // The key stays out of sight, out of screenshots and out of what is copied from the bar.
    parameters.delete("key");
    const rest = parameters.size ? `?${parameters}` : "";
    history.replaceState(null, "", `#${name}${rest}`);
    await room.useKey(key);
  }
  becomeScreen(parameters.get("screen"));
  if (parameters.get("lang")) await useLanguage(parameters.get("lang"));
  if (name === "help") {
    openKeys();
    if (current) return;
  }
  await show(name === "help" ? "timeline" : name, parameters, () => mine === turn);
}

/**
 * A view was not had. Browsers may not ask again for a module in the life of a page: load it anew, if
 * somebody answers, and that was not tried a moment ago. Else its link may be tried again.
 */
async function beginAnew(isWanted) {
  const [opened] = performance.getEntriesByType("navigation");
  const isReloaded = /** @type {PerformanceNavigationTiming} */ (opened).type === "reload";
  const answers = await fetch(location.pathname).then(({ ok }) => ok, () => false);
  if (!isWanted()) return;
  if (answers && !(isReloaded && performance.now() < MOMENT_MS)) location.reload();
  else history.replaceState(null, "", `#${current ?? ""}`);
}

async function show(name, parameters, isWanted) {
  const view = document.getElementById("view");
  if (!shown.has(name)) {
    const module = await import(`./${HOMES[name] ?? ""}view_${name}.js`).catch(() => null);
    if (!isWanted()) return;
    if (!module) return beginAnew(isWanted);
    const section = document.createElement("section");
    section.id = name;
    section.hidden = true;
    view.append(section);
    module.mount(section);
    translate(section);
    shown.set(name, { module, section });
  }
  if (!isWanted()) return;
  if (current !== name) {
    if (current) {
      shown.get(current).section.hidden = true;
      shown.get(current).module.hide?.();
    }
    current = name;
    scrollTo(0, 0); // not to the section of that name, which would hide the head above it
    shown.get(name).section.hidden = false;
    for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll("nav a"))) {
      if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    document.title = `${say(`nav.${name}`)} · Duplex`;
  }
  shown.get(name).module.show(parameters);
  tellWhere(name, parameters);
}

// Space presses what has the focus, as everywhere, before it is a shortcut.
const isPressing = ({ key, target }) => key === " " && target.closest("button, a, label");
const isTyping = (target) => /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName) || target.isContentEditable;

/** A letter, or during the tour what a presenter's remote control sends. */
const isOn = (key, letter, remote) => key === letter || (key === remote && stepNow() !== null);

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)
    || isPressing(event) || !areKeysOn()) return;
  const number = Number(event.key);
  if (number >= 1 && number <= VIEWS.length) location.hash = VIEWS[number - 1];
  else if (event.key === "?") openKeys();
  else if (event.key === "f") toggleFull();
  else if (event.key === "+") toggleLarge();
  else if (event.key === "d") toggleTheme();
  else if (room.isLecturer && isOn(event.key, "n", "PageDown")) next();
  else if (room.isLecturer && isOn(event.key, "p", "PageUp")) back();
  else if (!document.querySelector("dialog").open) shown.get(current)?.module.key?.(event);
}

function showRole() {
  saying(document.getElementById("role"), room.isLecturer ? "role.lecturer" : "role.viewer");
  document.documentElement.classList.toggle("is-lecturer", room.isLecturer);
}

async function start() {
  startTheme();
  await useLanguage();
  const select = /** @type {HTMLSelectElement} */ (document.getElementById("language"));
  select.value = language;
  select.addEventListener("change", () => useLanguage(select.value));
  addEventListener("language", () => {
    select.value = language;
    if (current) document.title = `${say(`nav.${current}`)} · Duplex`;
  });
  document.getElementById("theme").addEventListener("click", toggleTheme);
  document.getElementById("large").addEventListener("click", toggleLarge);
  document.getElementById("full").addEventListener("click", toggleFull);
  document.getElementById("help").addEventListener("click", openKeys);
  document.getElementById("skip").addEventListener("click", (event) => {
    event.preventDefault();
    document.getElementById("view").focus();
  });
  addEventListener("keydown", onKey);
  showLine(document.getElementById("line"));
  mountTour(document.getElementById("hall-asked"));
  mountAsked(document.getElementById("hall-asked"));
  room.addEventListener("role", showRole);
  room.addEventListener("lost", () => notify(say("notice.unreachable"), Infinity));
  room.addEventListener("missed", () => notify(say("notice.missed")));
  room.addEventListener("found", () => notify(""));
  room.addEventListener("fit", () => notify("")); // it answers what was said of an old key
  room.addEventListener("misfit", () => notify(say("notice.wrong-key"), Infinity));
  room.addEventListener("anew", (/** @type {CustomEvent} */ { detail }) => {
    if (detail.wasLecturer) notify(say("notice.new-key"), Infinity);
  });
  room.useKey("");
  const opened = room.start();
  addEventListener("hashchange", route);
  await Promise.all([opened, route()]);
}

start();
