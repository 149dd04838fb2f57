// Looking again: the last minute of the race, as slowly as one likes, from any moment, and beside another
// race. Nothing stops meanwhile: what is looked at is a recording.

import { Diagram } from "../diagram.js";
import { el, saying, setText } from "../dom.js";
import { bytes, duration, number, say } from "../i18n.js";
import { theme } from "../theme.js";
import { saveCsv, savePng } from "./saving.js";
import { figures, nextAfter, shelf } from "./recording.js";
import { rows } from "./table.js";

const SPEEDS = [1, 0.5, 0.25, 0.1];
const SPAN_MS = 10000;
const WRITE = { age: duration, mean: duration, messages: number, lost: number, requests: number, up: bytes, down: bytes };

const parts = {};
let main = null; // the recording that is looked at; null while the race is shown live
let other = null; // the one beside it
let at = 0; // ms since the recordings began
let speed = 1;
let plays = false;
let lastTime = 0;
let ended = () => {};

export const isReplaying = () => main !== null;
export const isPlaying = () => plays;

/** Make the bar of controls; `onEnd` hears when the race is to be shown live again. */
export function replayBar(onEnd) {
  ended = onEnd;
  const button = (name, click) => el("button", { type: "button", id: `replay-${name}`, say: `replay.${name}`, on: { click } });
  parts.play = button("play", toggle);
  parts.scrub = el("input", { type: "range", id: "replay-scrub", min: "0", step: "50", label: "replay.scrub",
    on: { input: () => { stop(); at = Number(parts.scrub.value); show(); } } });
  parts.time = el("output", { htmlFor: "replay-scrub" });
  parts.speed = el("select", { id: "replay-speed", on: { change: () => { speed = Number(parts.speed.value); } } },
    ...SPEEDS.map((value) => el("option", { value, textContent: value === 1 ? "1×" : `1/${1 / value}×` })));
  parts.beside = el("select", { id: "replay-beside", on: { change: () => putBeside(parts.beside.value) } });
  const field = (control, words) =>
    el("div", { className: "field" }, el("label", { htmlFor: control.id, say: words }), control);
  parts.which = el("p", { className: "which", hidden: true, attributes: { role: "status" } });
  parts.bar = el("div", { id: "replay", hidden: true, attributes: { role: "group" }, label: "replay.open" },
    el("div", { className: "scrubbing" }, parts.play, parts.scrub, parts.time),
    el("div", { className: "controls plain" }, field(parts.speed, "replay.speed"), field(parts.beside, "replay.beside"),
      button("png", () => savePng(main, other)), button("csv", () => saveCsv(main, other)), button("end", leave)),
    parts.which);
  addEventListener("language", () => { if (main) { offer(); show(); } });
  return parts.bar;
}

/** Look at a recording, from its last ten seconds on. */
export function look(recording) {
  main = recording;
  other = null;
  at = Math.max(main.to - main.from - SPAN_MS, 0);
  parts.bar.hidden = false;
  document.getElementById("race").toggleAttribute("data-replay", true);
  for (const [slug, row] of rows) row.diagram.lane = main.lanes.get(slug) ?? null;
  offer();
  putBeside("");
  play();
}

function leave() {
  stop();
  putBeside("");
  main = null;
  parts.bar.hidden = true;
  document.getElementById("race").toggleAttribute("data-replay", false);
  ended();
}

const titleOf = ({ preset }) => (preset ? say(`preset.${preset}`) : say("replay.free"));

/** Offer the races that went before to be put beside. */
function offer() {
  const others = [...shelf.values()].filter((one) => one !== main);
  parts.beside.replaceChildren(el("option", { value: "", say: others.length ? "replay.nothing" : "replay.none" }),
    ...others.map((one) => el("option", { value: one.preset, textContent: titleOf(one) })));
  parts.beside.value = other?.preset ?? "";
  parts.beside.disabled = !others.length;
}

function putBeside(preset) {
  other = shelf.get(preset) ?? null;
  document.getElementById("race").toggleAttribute("data-beside", other !== null);
  for (const [slug, row] of rows) {
    row.beside.hidden = !other;
    row.second?.close();
    row.second = other ? new Diagram(row.beside, other.lanes.get(slug) ?? null) : null;
  }
  if (other) at = Math.min(at, longest());
  parts.scrub.max = String(longest());
  parts.which.hidden = !other;
  setText(parts.which, other ? say("replay.which", { left: titleOf(main), right: titleOf(other) }) : "");
  show();
}

const longest = () => Math.max(...[main, other].map((one) => (one ? one.to - one.from : 0)));

function toggle() {
  if (plays) stop();
  else play();
}

function play() {
  if (at >= longest()) at = 0;
  plays = true;
  lastTime = performance.now();
  saying(parts.play, "replay.stop");
}

function stop() {
  plays = false;
  saying(parts.play, "replay.play");
}

/** Go on by so much as has passed, at the chosen speed, and draw. */
export function advance(time) {
  if (plays) {
    at = Math.min(at + (time - lastTime) * speed, longest());
    if (at >= longest()) stop();
  }
  lastTime = time;
  show();
}

function show() {
  if (!main) return;
  const words = say("replay.at", { now: duration(Math.round(at)), all: duration(longest()) });
  parts.scrub.value = String(Math.round(at));
  parts.scrub.setAttribute("aria-valuetext", words);
  setText(parts.time, words);
  for (const { diagram, second } of rows.values()) {
    diagram.draw(main.from + at, SPAN_MS, theme());
    second?.draw(other.from + at, SPAN_MS, theme());
  }
}

/** Write the counters as they stood then; those of the race beside in a second line. */
export function countAgain() {
  for (const [slug, { cells }] of rows) {
    const told = [main, other].filter(Boolean).map((one) =>
      (one.lanes.has(slug) ? figures(one.lanes.get(slug), one.from + at) : null));
    for (const [name, write] of Object.entries(WRITE)) {
      setText(cells[name], told.map((one) => (one && one[name] !== null ? write(one[name]) : "–")).join("\n"));
    }
    setText(cells.open, "–");
    cells.lost.classList.toggle("bad", told.some((one) => one?.lost > 0));
  }
}

export function key(event) {
  if (event.key === " ") toggle();
  else if (event.key === ".") {
    stop();
    const next = nextAfter(main, main.from + at);
    if (next !== null) at = next - main.from;
    show();
  } else if (event.key === "Escape") leave();
  else return false;
  return true;
}
