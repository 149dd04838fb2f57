// The speaker's window: what to say, do, ask and expect at each step, how long it may take, and what
// comes next. It shows nothing to the room and leads all that does.

import { attempt, el, setText } from "../dom.js";
import { ask } from "../hall/asked.js";
import { language, say } from "../i18n.js";
import { room } from "../room.js";
import { STEPS, titleOf } from "./steps.js";
import { back, go, next, stepNow } from "./tour.js";

const NOTES = ["say", "do", "ask", "expect"];
const TICK_MS = 500;
const ALL = STEPS.reduce((sum, { minutes }) => sum + minutes, 0);

const parts = {};
let words = {};
let timer = 0;

export function mount(section) {
  parts.where = el("h1", {});
  parts.place = el("p", { className: "network" });
  parts.total = el("b", {});
  parts.own = el("b", {});
  parts.notes = Object.fromEntries(NOTES.map((name) => [name, el("dd", {})]));
  parts.next = el("p", { className: "sentence" });
  parts.forward = el("button", { type: "button", id: "tour-next", say: "tour.next", on: { click: next } });
  parts.back = el("button", { type: "button", id: "tour-back", say: "tour.back", on: { click: back } });
  parts.end = el("button", { type: "button", id: "tour-end", say: "tour.end", on: { click: () => go(null) } });
  parts.ask = el("button", { type: "button", id: "tour-ask", say: "asked.ask",
    on: { click: () => attempt(() => ask(STEPS[stepNow()].question)) } });
  parts.keyless = el("p", { className: "note", say: "tour.keyless" });
  parts.body = el("div", { className: "speaker" },
    el("div", { className: "heading" }, parts.where, parts.place),
    el("p", { className: "clocks" },
      el("span", {}, el("span", { say: "tour.step-clock" }), " ", parts.own),
      el("span", {}, el("span", { say: "tour.clock" }), " ", parts.total)),
    el("div", { className: "buttons" }, parts.back, parts.forward, parts.ask, parts.end),
    el("dl", {}, ...NOTES.flatMap((name) =>
      [el("dt", { say: `tour.${name}` }), parts.notes[name]])),
    parts.next);
  section.append(parts.keyless, parts.body);
  for (const news of ["state", "role"]) room.addEventListener(news, fill);
  addEventListener("language", load);
}

export function show() {
  clearInterval(timer);
  timer = setInterval(tick, TICK_MS);
  load();
}

export function hide() {
  clearInterval(timer);
}

async function load() {
  const wanted = language;
  const found = await import(`../words/script_${wanted}.js`).catch(() => null);
  if (!found || wanted !== language) return;
  words = found.default;
  fill();
}

function fill() {
  parts.keyless.hidden = room.isLecturer;
  parts.body.hidden = !room.isLecturer;
  const at = stepNow();
  const step = STEPS[at ?? 0];
  const following = at === null ? STEPS[0] : STEPS[at + 1];
  setText(parts.where, at === null ? say("tour.ready") : say(titleOf(step)));
  setText(parts.place, at === null ? "" : say("tour.place", { step: at + 1, steps: STEPS.length }));
  parts.back.disabled = !at;
  parts.end.hidden = at === null;
  parts.forward.disabled = at !== null && !following;
  parts.ask.hidden = at === null || !step.question;
  for (const name of NOTES) {
    setText(parts.notes[name], words[at === null ? `start.${name}` : `${step.name}.${name}`] ?? "");
    const title = parts.notes[name].previousElementSibling;
    title.hidden = parts.notes[name].hidden = !parts.notes[name].textContent;
  }
  setText(parts.next, following ? say("tour.then", { title: say(titleOf(following)), minutes: following.minutes }) : "");
  tick();
}

const clock = (ms) => {
  const seconds = Math.max(Math.floor(ms / 1000), 0);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
};

/** How much of so many minutes is used up; what is too much is said, too, and not by colour alone. */
function spent(node, since, minutes) {
  const ms = since === undefined ? 0 : room.serverNow() - since;
  const isOver = ms > 60000 * minutes;
  setText(node, `${clock(ms)} / ${minutes}:00${isOver ? ` ${say("tour.over")}` : ""}`);
  node.classList.toggle("bad", isOver);
}

function tick() {
  const tour = room.state?.tour;
  const step = stepNow();
  spent(parts.total, tour?.began_ms, ALL);
  spent(parts.own, tour?.step_ms, step === null ? ALL : STEPS[step]?.minutes ?? 0);
}
