// The race: the same messages on every technique, each with its diagram and its counters.

import { attempt, el, notify, saying, setText, wantsCalm } from "./dom.js";
import { Diagram } from "./diagram.js";
import { bytes, duration, number, say } from "./i18n.js";
import { Lane } from "./lanes.js";
import { controls, prepare, presetButtons, readPreset } from "./presets.js";
import { room } from "./room.js";
import { markerIcon, SLUGS, TECHNIQUES } from "./techniques.js";
import { theme } from "./theme.js";
import { Track } from "./track.js";

export const CHANNEL = "race";
const SPAN_MS = 10000;
const LAG_MS = 120; // what passed is told a moment later
const FRAME_MS = 12;
const TURNS = 4;
const CALM_MS = 1000;
const COUNTERS_MS = 500;
const READY_MS = 5000;
const COLUMNS = ["age", "mean", "messages", "lost", "requests", "up", "down", "open"];

export const lanes = new Map(); // slug: lane, open while the race or the wire is watched
const rows = new Map();
let sentence;
let pauseButton;
let isShown = false;
let pausedAt = null;
let lastDrawn = 0;
let lastCounted = 0;
let turn = 0;
let lastPreset = null;
let plays = 0;

/** Open the race's lanes; what is open stays. */
export function openLanes() {
  const holder = document.getElementById("dock");
  for (const slug of SLUGS) {
    if (!lanes.has(slug)) {
      lanes.set(slug, new Lane(slug, { channel: CHANNEL, holder, brief: true }));
    }
  }
}

/** Count all lanes from now. */
export function reset() {
  for (const lane of lanes.values()) lane.reset(room.state.source.published);
}

export function mount(section) {
  sentence = el("p", { className: "sentence", id: "sentence", say: "race.choose" });
  pauseButton = el("button", { type: "button", say: "race.pause", on: { click: pause } });
  const state = el("p", { className: "network" });
  section.append(
    el("div", { className: "heading" },
      el("h1", { say: "race.title" }),
      state,
      el("div", { className: "buttons" },
        pauseButton,
        el("button", { type: "button", say: "race.step", on: { click: step } }),
        el("button", { type: "button", say: "race.reset", on: { click: reset } }))),
    presetButtons((name) => { location.hash = `race?preset=${name}`; play(name); }),
    sentence,
    controls({ setPoll: (s) => lanes.forEach((lane) => lane.setPoll(s)), state }),
    table(),
    el("p", { className: "legend", say: "race.legend" }),
  );
  label();
  addEventListener("language", label);
}

function table() {
  const head = el("tr", {},
    el("th", { scope: "col", say: "race.technique" }),
    el("th", { scope: "col", say: "race.diagram" }),
    ...COLUMNS.map((name) => el("th", { scope: "col", say: `race.${name}` })));
  const body = el("tbody", {}, ...TECHNIQUES.map(row));
  return el("div", { className: "lanes", tabIndex: 0, label: "race.lanes", attributes: { role: "region" } },
    el("table", {}, el("thead", {}, head), body));
}

function row({ slug, year }) {
  const canvas = el("canvas", { attributes: { role: "img" }, label: "race.canvas" });
  const cells = Object.fromEntries(COLUMNS.map((name) => [name,
    el("td", { className: `number ${name}`, data: { column: name } })]));
  const state = el("span", { className: "state" });
  const name = el("th", { scope: "row" }, markerIcon(slug),
    el("span", { className: "name" }, el("span", { say: `technique.${slug}` }),
      el("small", {}, `${year} `, state)));
  rows.set(slug, { canvas, cells, state, diagram: null });
  return el("tr", { data: { technique: slug } }, name, el("td", { className: "diagram" }, canvas),
    ...Object.values(cells));
}

export function show(parameters) {
  openLanes();
  for (const [slug, row] of rows) row.diagram ??= new Diagram(row.canvas, lanes.get(slug));
  isShown = true;
  requestAnimationFrame(draw);
  const name = parameters.get("preset");
  if (name !== lastPreset) play(name);
}

export function hide() {
  isShown = false;
}

/** On a phone the table has no head, so each cell tells what it counts. */
function label() {
  for (const { cells } of rows.values()) {
    for (const [name, cell] of Object.entries(cells)) cell.dataset.label = say(`race.${name}`);
  }
}

async function play(name) {
  lastPreset = name;
  const mine = (plays += 1);
  const isCurrent = () => mine === plays;
  const preset = readPreset(name);
  saying(sentence, preset ? `preset.${name}.watch` : "race.choose");
  const buttons = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("#presets button"));
  for (const button of buttons) {
    button.setAttribute("aria-pressed", String(button.dataset.preset === name));
  }
  if (!preset) return;
  if (preset.poll) {
    lanes.forEach((lane) => lane.setPoll(preset.poll));
    /** @type {HTMLInputElement} */ (document.getElementById("control-poll")).value = preset.poll;
  }
  if (!room.isLecturer) {
    if (room.state) notify(say("race.lecturer-only"));
    return;
  }
  await ready();
  if (!isCurrent()) return;
  await attempt(async () => {
    await prepare(preset);
    if (!isCurrent()) return;
    reset();
    await preset.go(isCurrent);
  });
}

/** Wait until all lanes listen, but not for ever: the network may be broken. */
async function ready() {
  const all = Promise.all([...lanes.values()].map((lane) => lane.ready));
  await Promise.race([all, new Promise((resolve) => setTimeout(resolve, READY_MS))]);
}

export function pause() {
  pausedAt = pausedAt === null ? room.serverNow() - LAG_MS : null;
  Track.isPaused = pausedAt !== null;
  saying(pauseButton, pausedAt === null ? "race.pause" : "race.go");
  pauseButton.setAttribute("aria-pressed", String(pausedAt !== null));
}

/** Go to the next thing that happened, on any lane. */
export function step() {
  if (pausedAt === null) pause();
  let next = Infinity;
  for (const lane of lanes.values()) {
    const event = lane.track.events.find(({ left }) => left > pausedAt + 0.01);
    if (event) next = Math.min(next, event.left);
  }
  if (next < Infinity) pausedAt = next;
  lastDrawn = 0;
}

function draw(time) {
  if (!isShown) return;
  requestAnimationFrame(draw);
  if (time - lastCounted >= COUNTERS_MS) {
    lastCounted = time;
    count();
  }
  const isCalm = wantsCalm();
  if (time - lastDrawn < (isCalm ? CALM_MS : FRAME_MS)) return;
  lastDrawn = time;
  // A part of the lanes each time: many short tasks are smoother than one long one.
  const now = pausedAt ?? room.serverNow() - LAG_MS;
  const all = isCalm || pausedAt !== null;
  turn = (turn + 1) % TURNS;
  [...rows.values()].forEach(({ diagram }, i) => {
    if (all || i % TURNS === turn) diagram.draw(now, SPAN_MS, theme());
  });
}

function count() {
  if (pausedAt !== null) return;
  for (const [slug, { cells, state }] of rows) {
    const lane = lanes.get(slug);
    const { track } = lane;
    setText(cells.age, duration(lane.messages.at(-1)?.latency));
    setText(cells.mean, duration(lane.mean()));
    setText(cells.messages, number(lane.received));
    setText(cells.lost, number(lane.lost));
    cells.lost.classList.toggle("bad", lane.lost > 0);
    setText(cells.requests, number(track.requests));
    setText(cells.up, bytes(track.up));
    setText(cells.down, bytes(track.down));
    setText(cells.open, number(track.open));
    setText(state, lane.status === "open" ? "" : say(`state.${lane.status}`));
    cells.messages.closest("tr").dataset.status = lane.status;
  }
}

export function key(event) {
  if (event.key === " ") pause();
  else if (event.key === ".") step();
  else if (room.isLecturer && event.key === "b") attempt(() => room.control("burst", { count: 50 }));
  else if (room.isLecturer && event.key === "x") attempt(() => room.control("cut", { seconds: 5 }));
  else if (room.isLecturer && event.key === "z") {
    attempt(() => room.control("link", { stalled: !room.state.link.stalled }));
  } else return;
  event.preventDefault();
}

