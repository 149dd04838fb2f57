// The room in one picture: for each technique the latencies that people's own pages measured, and who
// dropped and came back. It is asked for once a second, while somebody looks.

import { el, setText } from "../dom.js";
import { duration, number, say } from "../i18n.js";
import { markerIcon, colorOf, SLUGS } from "../techniques.js";
import { isDark } from "../theme.js";
import { BINS } from "./part.js";

const AGAIN_MS = 1000;
const HIGH = 12;
const NS = "http://www.w3.org/2000/svg";
const EDGES = [1, 10, 100, 1000, 10000]; // ms; ten classes between two of them
const SIGNS = { open: "", waiting: "…", broken: "✕", away: "✕" };

const rows = new Map(); // slug: a technique's row
const chips = new Map(); // number: a person's chip
const parts = {};
let timer = 0;
let told = { people: [], techniques: {} };

function svg(name, attributes) {
  const node = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

export function picture() {
  parts.nobody = el("p", { say: "hall.nobody" });
  parts.axis = el("p", { className: "axis", attributes: { "aria-hidden": "true" } },
    ...EDGES.map(() => el("span", {})));
  parts.rows = el("div", { className: "histograms" }, ...SLUGS.map(row), parts.axis);
  parts.people = el("ol", { className: "people", label: "hall.people" });
  parts.counted = el("p", { className: "network", attributes: { role: "status" } });
  addEventListener("language", draw);
  addEventListener("theme", draw);
  draw();
  return el("div", { id: "hall-picture" }, parts.counted, parts.nobody, parts.rows, parts.people);
}

function row(slug) {
  const bars = svg("path", {});
  const chart = svg("svg", { viewBox: `0 0 ${BINS} ${HIGH}`, preserveAspectRatio: "none", role: "img" });
  chart.append(bars);
  const typical = el("b", {});
  const count = el("small", {});
  const node = el("div", { className: "row", hidden: true, data: { technique: slug } },
    el("span", { className: "who" }, markerIcon(slug), el("span", { say: `technique.${slug}` })),
    chart, typical, count);
  rows.set(slug, { node, bars, chart, typical, count });
  return node;
}

/** Look at the room, or not any more. */
export function look(isLooking) {
  clearInterval(timer);
  if (!isLooking) return;
  timer = setInterval(ask, AGAIN_MS);
  ask();
}

async function ask() {
  if (!parts.rows.closest("section")?.checkVisibility()) return;
  const answer = await fetch("/lecture/audience").catch(() => null);
  if (!answer?.ok) return;
  told = await answer.json();
  draw();
}

function draw() {
  const { people, techniques } = told;
  const here = people.filter(([, , state]) => state !== "away");
  const back = people.filter(([, , , , returns]) => returns > 0).length;
  parts.nobody.hidden = people.length > 0;
  parts.rows.hidden = parts.people.hidden = !people.length;
  setText(parts.counted, people.length ? say("hall.counted", { here: number(here.length),
    gone: number(people.length - here.length), back: number(back) }) : "");
  [...parts.axis.children].forEach((one, i) => setText(one, duration(EDGES[i])));
  for (const [slug, one] of rows) {
    const all = here.filter(([, technique]) => technique === slug).length;
    const found = techniques[slug];
    one.node.hidden = !all && !found;
    if (one.node.hidden) continue;
    const most = Math.max(...(found?.shares ?? []), 1);
    one.bars.setAttribute("d", (found?.shares ?? []).map((share, i) =>
      (share ? `M${i + 0.06} ${HIGH}v${(-HIGH * share) / most}h.88V${HIGH}z` : "")).join(""));
    one.bars.setAttribute("fill", colorOf(slug, isDark()));
    const typical = found ? duration(found.typical_ms) : "–";
    one.chart.setAttribute("aria-label", say("hall.chart", { typical, count: number(found?.measured ?? 0) }));
    setText(one.typical, typical);
    setText(one.count, say("hall.people-of", { count: number(all) }));
  }
  drawPeople(people);
}

/** One chip for each person; only who changed is drawn anew. */
function drawPeople(people) {
  const seen = new Set();
  for (const person of people) {
    const [place, slug, state, drops, returns] = person;
    seen.add(place);
    const now = JSON.stringify(person);
    const chip = chips.get(place) ?? el("li", {});
    if (!chips.has(place)) {
      chips.set(place, chip);
      parts.people.append(chip);
    }
    if (chip.dataset.now === now) continue;
    chip.dataset.now = now;
    chip.dataset.state = state;
    chip.replaceChildren(markerIcon(slug), el("b", { textContent: number(place) }),
      ...(SIGNS[state] ? [el("span", { textContent: SIGNS[state] })] : []),
      ...(returns ? [el("span", { textContent: `↩${number(returns)}` })] : []),
      el("span", { className: "visually-hidden" }));
    const words = chip.lastElementChild;
    words.textContent = ` ${say(`technique.${slug}`)}, ${say(`hall.${state}`)}${
      drops ? `, ${say("hall.dropped", { drops: number(drops), returns: number(returns) })}` : ""}`;
    chip.title = words.textContent.trim();
  }
  for (const [place, chip] of chips) {
    if (seen.has(place)) continue;
    chip.remove();
    chips.delete(place);
  }
}
