// What the lecturer can change in the race, by hand or by a preset that makes one point.

import { attempt, el, saying } from "./dom.js";
import { duration, number, say } from "./i18n.js";
import { free, speed, standing } from "./line.js";
import { room } from "./room.js";

/**
 * Free the line, stop the source, and begin a race on a fresh channel: all pages open their lanes
 * anew there, and the line is made what a preset wants once they are open.
 */
export async function begin(name) {
  await free(PRESETS[name].workers);
  await room.control("source", { rate: 0, size: PRESETS[name].size ?? 40, preset: name });
}

const rate = (value) => () => room.control("source", { rate: value });
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Each makes one point; its sentence, under `preset.NAME.watch`, says what to look at. `go` asks
 * `isCurrent` before what it does later: another preset may have been chosen meanwhile. `workers`
 * is how many serve, where it is not one, and whether they have a log in common.
 */
export const PRESETS = {
  minute: { poll: 1, link: {}, go: rate(1 / 60) },
  burst: { poll: 1, link: { delay_s: 0.02 }, go: () => room.control("burst", { count: 50 }) },
  half: { poll: 1, link: { delay_s: 0.5 }, go: rate(2) },
  cut: {
    poll: 1,
    link: { delay_s: 0.05 },
    async go(isCurrent) {
      await rate(4)();
      await pause(3000);
      if (isCurrent()) await room.control("cut", { seconds: 5 });
    },
  },
  picture: {
    poll: 2,
    link: { bytes_per_s: 500_000 },
    go: () => room.control("burst", { picture: true }),
  },
  answer: { poll: 1, link: { delay_s: 0.05 }, size: 4, shows: "words", go: rate(30) },
  busy: { poll: 1, link: {}, go: rate(50) },
  apart: { poll: 1, link: {}, workers: { count: 2, common: false }, go: rate(4) },
  together: { poll: 1, link: {}, workers: { count: 2, common: true }, go: rate(4) },
};

export const readPreset = (name) => (Object.hasOwn(PRESETS, name ?? "") ? PRESETS[name] : null);

/** Whether orders of this page would be heeded now. */
const mayOrder = () => room.isLecturer && room.state !== null && !room.isLost;

/** Do something now, and whenever the state, the role or the language is another one. */
function follow(fill) {
  for (const news of ["state", "role"]) room.addEventListener(news, fill);
  addEventListener("language", fill);
  fill();
}

/** Make the row of preset buttons. */
export function presetButtons(choose) {
  const buttons = Object.keys(PRESETS).map((name) =>
    el("button", {
      type: "button",
      say: `preset.${name}`,
      data: { preset: name },
      disabled: true,
      attributes: { "aria-pressed": "false" },
      on: { click: () => choose(name) },
    }));
  follow(() => {
    for (const button of buttons) button.disabled = !mayOrder();
  });
  const attributes = { role: "group" };
  return el("div", { id: "presets", className: "buttons", label: "race.presets", attributes },
    ...buttons);
}

/** Show which preset is on. */
export function press(name) {
  for (const button of document.querySelectorAll("#presets button")) {
    const { dataset } = /** @type {HTMLElement} */ (button);
    button.setAttribute("aria-pressed", String(dataset.preset === name));
  }
  rollToPressed();
}

/** On a phone the presets are wider than the screen: roll them to the one that is on. */
export function rollToPressed() {
  const presets = document.getElementById("presets");
  const pressed = presets.querySelector("[aria-pressed=true]");
  if (!pressed) return;
  const middle = (one) => one.getBoundingClientRect().left + one.clientWidth / 2;
  presets.scrollLeft += middle(pressed) - middle(presets);
}

function field(name, choices, write, change) {
  const options = choices.map((value) => el("option", { value: value ?? "" }));
  const on = { change: () => change(select.value) };
  const select = el("select", { id: `control-${name}`, on }, ...options);
  const words = () => options.forEach((option, i) => { option.textContent = write(choices[i]); });
  words();
  addEventListener("language", words);
  return el("div", { className: "field" },
    el("label", { htmlFor: select.id, say: `control.${name}` }), select);
}

/** Make the controls. `setPoll` changes this page's own lanes, all others everybody's network. */
export function controls({ setPoll, state }) {
  const order = (door, make) => (value) => attempt(() => room.control(door, make(value)));
  const often = (value) => (value === 0 ? say("control.none") : value < 0.02 ? say("control.per-minute")
    : `${number(value)} /s`);
  const size = (value) => (value < 1000 ? `${number(value)} B` : `${number(value / 1000)} kB`);
  const freeze = el("button", { type: "button", say: "control.freeze",
    attributes: { "aria-pressed": "false" },
    on: { click: () => attempt(() => room.control("link", { stalled: !room.state.link.stalled })) } });
  const button = (name, door, body) => el("button", { type: "button", say: `control.${name}`,
    on: { click: () => attempt(() => room.control(door, body)) } });
  const mine = el("fieldset", { className: "mine" },
    el("legend", { say: "control.mine" }),
    field("poll", [0.25, 0.5, 1, 2, 5], (s) => `${number(s, s < 1 ? 2 : 0)} s`, (s) => setPoll(Number(s))));
  mine.querySelector("select").value = "1";
  const theirs = el("fieldset", { className: "theirs", disabled: true },
    el("legend", { say: "control.theirs" }),
    field("rate", [0, 1 / 60, 1, 2, 4, 10, 20, 30, 50], often, order("source", (v) => ({ rate: Number(v) }))),
    field("size", [4, 40, 1000, 10000, 100000], size, order("source", (v) => ({ size: Number(v) }))),
    field("delay", [0, 0.02, 0.05, 0.1, 0.25, 0.5, 1], (s) => duration(s * 1000),
      order("link", (v) => ({ delay_s: Number(v) }))),
    field("speed", [null, 1e6, 500000, 100000, 20000, 5000], speed,
      order("link", (v) => ({ bytes_per_s: v ? Number(v) : null }))),
    button("burst", "burst", { count: 50 }), freeze, button("cut", "cut", { seconds: 5 }),
    button("restart", "restart"));
  follow(() => {
    theirs.disabled = !mayOrder();
    if (room.state) reflect(theirs, freeze, state);
  });
  return el("div", { className: "controls" }, mine, theirs);
}

/** Show the network as it is. */
function reflect(fields, freeze, state) {
  const { link, source } = room.state;
  const values = { rate: source.rate, size: source.size, delay: link.delay_s, speed: link.bytes_per_s ?? "" };
  for (const [name, value] of Object.entries(values)) {
    const select = fields.querySelector(`#control-${name}`);
    if (document.activeElement !== select) {
      const near = [...select.options].find((option) =>
        option.value === String(value)
        || Math.abs(Number(option.value) - Number(value)) < 1e-3 * Number(value));
      select.value = near?.value ?? "";
    }
  }
  freeze.setAttribute("aria-pressed", String(link.stalled));
  const word = standing();
  if (state.dataset.word !== word) saying(state, `network.${word}`);
  state.dataset.word = word;
}
