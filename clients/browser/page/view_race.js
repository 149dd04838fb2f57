// The race: the same messages on every technique, each with its diagram and its counters.

import { attempt, beforeFrames, el, notify, saying, setText, wantsCalm } from "./dom.js";
import { Diagram } from "./diagram.js";
import { bytes, duration, number, say } from "./i18n.js";
import { Lane } from "./lanes.js";
import { begin, controls, press, presetButtons, readPreset, rollToPressed } from "./presets.js";
import { room } from "./room.js";
import { keep, record } from "./race/recording.js";
import { advance, countAgain, isPlaying, isReplaying, key as replayKey, look, replayBar } from "./race/replay.js";
import { legend, rows, table } from "./race/table.js";
import { SLUGS, TECHNIQUES } from "./techniques.js";
import { theme } from "./theme.js";
import { Track } from "./track.js";

const SPAN_MS = 10000;
const LAG_MS = 120; // what passed is told a moment later
const FRAME_MS = 12;
const TURNS = 4;
const STILL_MS = 250; // where time stands still, what is told late and a change of theme may wait
const CALM_MS = 1000;
const COUNTERS_MS = 500;
const READY_MS = 5000;

export const lanes = new Map(); // slug: lane, open while the race or the wire is watched
let sentence;
let pauseButton;
let isShown = false;
let pausedAt = null;
let lastDrawn = 0;
let lastCounted = 0;
let turn = 0;
let again;
let channel = ""; // the race's, as long as lanes are open
let isWatched = false; // here or on the wire
let poll = 1;
let lastPreset = null; // what this page has asked for
let toldRace = ""; // the channel that was last told, and the preset that the lecturer chose for it
let toldPreset = "";
let plays = 0;

/** Open the race's lanes, once it is known where; what is open stays. */
export function openLanes() {
  isWatched = true;
  follow();
}

// The wire may be opened first, before the state is known and without the race's own view.
room.addEventListener("state", follow);

/** Go where the race is: each preset has a channel of its own, and is shown on all pages. */
function follow() {
  if (!room.state) return;
  const { source } = room.state;
  if (isWatched && source.channel !== channel) {
    if (lanes.size && toldPreset) keep(recordNow());
    channel = source.channel;
    for (const slug of SLUGS) open(slug);
  }
  if (sentence && source.channel !== toldRace) {
    toldRace = source.channel;
    toldPreset = source.preset;
    showPreset(toldPreset);
    offerAgain();
  }
}

function open(slug) {
  lanes.get(slug)?.close();
  const holder = document.getElementById("dock");
  const lane = new Lane(slug, { channel, holder, brief: true, poll });
  lanes.set(slug, lane);
  const diagram = rows.get(slug)?.diagram;
  if (diagram && !isReplaying()) diagram.lane = lane;
}

/** Record the race as it is known to this page, for a minute at most. */
const recordNow = () => record(lanes, Math.max(...[...lanes.values()].map(({ track }) => track.since)),
  room.serverNow() - LAG_MS, toldPreset);

/** Show the race live again. */
function goLive() {
  for (const [slug, { diagram }] of rows) diagram.lane = lanes.get(slug) ?? null;
}

function setPoll(seconds) {
  poll = seconds;
  lanes.forEach((lane) => lane.setPoll(seconds));
}

/** Count all lanes from now: what the quickest has counted already, the others need not count. */
export function reset() {
  const newest = Math.max(room.state.source.published, ...[...lanes.values()].map((lane) => lane.newest));
  for (const lane of lanes.values()) lane.reset(newest);
}

export function mount(section) {
  sentence = el("span", { id: "sentence", say: "race.choose" });
  again = el("button", { type: "button", id: "again", say: "race.again", hidden: true,
    on: { click: () => play(toldPreset) } });
  const bare = el("button", { type: "button", id: "bare", say: "race.bare", hint: "race.bare-hint",
    attributes: { "aria-pressed": "false" }, on: { click: toggleBare } });
  pauseButton = el("button", { type: "button", say: "race.pause", on: { click: pause } });
  const state = el("p", { className: "network" });
  section.style.setProperty("--lanes", String(TECHNIQUES.length)); // they share the screen's height
  section.append(
    el("div", { className: "heading" },
      el("h1", { say: "race.title" }),
      state,
      el("div", { className: "buttons" },
        el("button", { type: "button", id: "replay-open", say: "replay.open", on: { click: () => look(recordNow()) } }),
        bare, pauseButton,
        el("button", { type: "button", say: "race.step", on: { click: step } }),
        el("button", { type: "button", say: "race.reset", on: { click: reset } }))),
    presetButtons((name) => { location.hash = `race?preset=${name}`; play(name); }),
    el("p", { className: "sentence" }, sentence, " ", again),
    controls({ setPoll, state }),
    replayBar(goLive),
    table(),
    legend(),
  );
  for (const news of ["state", "role"]) room.addEventListener(news, offerAgain);
}

/** Show the lanes and nothing to turn: for large type, small screens and the last row. */
function toggleBare() {
  const { dataset } = document.getElementById("race");
  if ("bare" in dataset) delete dataset.bare;
  else dataset.bare = "";
  document.getElementById("bare").setAttribute("aria-pressed", String("bare" in dataset));
}

export function show(parameters) {
  openLanes();
  for (const [slug, row] of rows) row.diagram ??= new Diagram(row.canvas, lanes.get(slug) ?? null);
  isShown = true;
  rollToPressed();
  askToDraw();
  const name = parameters.get("preset");
  if (name && name !== lastPreset) play(name);
  else lastPreset = name;
}

export function hide() {
  isShown = false;
}

/** Begin a preset for everybody; what its sentence says is shown where the race is. */
export async function play(name) {
  lastPreset = name;
  const mine = (plays += 1);
  const isCurrent = () => mine === plays;
  const preset = readPreset(name);
  if (!preset) return;
  await room.opened;
  if (!room.isLecturer) {
    notify(say("race.lecturer-only"));
    return;
  }
  showPreset(name);
  await attempt(async () => {
    await begin(name);
    await ready();
    if (!isCurrent()) return;
    await room.control("link", preset.link);
    reset();
    await preset.go(isCurrent);
  });
}

/** Show which preset is on, and what to look at. */
function showPreset(name) {
  const preset = readPreset(name);
  if (!sentence) { // no race is shown here
    if (preset) setPoll(preset.poll);
    return;
  }
  saying(sentence, preset ? `preset.${name}.watch` : "race.choose");
  press(name);
  document.getElementById("race").toggleAttribute("data-words", preset?.shows === "words");
  if (!preset) return;
  setPoll(preset.poll);
  /** @type {HTMLInputElement} */ (document.getElementById("control-poll")).value = preset.poll;
}

function offerAgain() {
  again.hidden = !room.isLecturer || !readPreset(toldPreset);
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

const askToDraw = beforeFrames(draw);

function draw(time) {
  if (!isShown) return;
  askToDraw();
  if (time - lastCounted >= COUNTERS_MS) {
    lastCounted = time;
    count();
  }
  const isCalm = wantsCalm();
  const isStill = isReplaying() ? !isPlaying() : pausedAt !== null;
  if (time - lastDrawn < (isCalm ? CALM_MS : isStill ? STILL_MS : FRAME_MS)) return;
  lastDrawn = time;
  if (isReplaying()) {
    advance(time);
    return;
  }
  // A part of the lanes each time: many short tasks are smoother than one long one.
  const now = pausedAt ?? room.serverNow() - LAG_MS;
  const all = isCalm || pausedAt !== null;
  turn = (turn + 1) % TURNS;
  [...rows.values()].forEach(({ diagram }, i) => {
    if (all || i % TURNS === turn) diagram.draw(now, SPAN_MS, theme());
  });
}

function count() {
  if (isReplaying()) {
    countAgain();
    return;
  }
  if (pausedAt !== null) return;
  for (const [slug, { cells, state, words }] of rows) {
    const lane = lanes.get(slug);
    if (!lane) continue;
    const { track } = lane;
    setText(cells.age, duration(lane.messages.at(-1)?.latency));
    setText(cells.mean, duration(lane.mean()));
    setText(words, lane.words);
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
  if (isReplaying() && replayKey(event)) {
    event.preventDefault();
    return;
  }
  if (event.key === " ") pause();
  else if (event.key === ".") step();
  else if (event.key === "l") toggleBare();
  else if (room.isLecturer && event.key === "b") attempt(() => room.control("burst", { count: 50 }));
  else if (room.isLecturer && event.key === "x") attempt(() => room.control("cut", { seconds: 5 }));
  else if (room.isLecturer && event.key === "z") {
    attempt(() => room.control("link", { stalled: !room.state.link.stalled }));
  } else return;
  event.preventDefault();
}

