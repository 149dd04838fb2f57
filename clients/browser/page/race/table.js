// The race's table: a row for each technique, with its diagram, a second one beside it while two races
// are compared, and its counters.

import { el } from "../dom.js";
import { say } from "../i18n.js";
import { markerIcon, TECHNIQUES } from "../techniques.js";

export const COLUMNS = ["age", "mean", "messages", "lost", "requests", "up", "down", "open"];
export const rows = new Map(); // slug: what is in its row

export function table() {
  const head = el("tr", {},
    el("th", { scope: "col", say: "race.technique" }),
    el("th", { scope: "col", say: "race.diagram" }),
    ...COLUMNS.map((name) => el("th", { scope: "col", say: `race.${name}`, hint: `race.${name}-means` })));
  const body = el("tbody", {}, ...TECHNIQUES.map(row));
  label();
  addEventListener("language", label);
  return el("div", { className: "lanes", tabIndex: 0, label: "race.lanes", attributes: { role: "region" } },
    el("table", {}, el("thead", {}, head), body));
}

function row({ slug, year }) {
  const diagram = () => el("canvas", { attributes: { role: "img" }, label: "race.canvas" });
  const [canvas, beside] = [diagram(), diagram()];
  beside.hidden = true;
  const cells = Object.fromEntries(COLUMNS.map((name) => [name,
    el("td", { className: `number ${name}`, data: { column: name } })]));
  const state = el("span", { className: "state" });
  const name = el("th", { scope: "row" }, markerIcon(slug),
    el("span", { className: "name" }, el("span", { say: `technique.${slug}` }),
      el("small", {}, el("span", { className: "when", textContent: `${year} ` }), state)));
  const words = el("p", { className: "words" });
  rows.set(slug, { canvas, beside, cells, state, words, diagram: null });
  return el("tr", { data: { technique: slug } }, name,
    el("td", { className: "diagram" }, el("div", { className: "pair" }, canvas, beside), words),
    ...Object.values(cells));
}

/** On a phone the table has no head, so each cell tells what it counts. */
function label() {
  for (const { cells } of rows.values()) {
    for (const [name, cell] of Object.entries(cells)) cell.dataset.label = say(`race.${name}`);
  }
}

/** What is drawn, in a line of samples; behind it, what the numbers mean. */
export function legend() {
  const samples = ["asked", "came", "message", "held", "ended"].map((name) =>
    el("span", {}, el("i", { className: `sample ${name}` }), el("span", { say: `legend.${name}` })));
  const means = COLUMNS.flatMap((name) => [el("dt", { say: `race.${name}` }), el("dd", { say: `race.${name}-means` })]);
  return el("div", { className: "legend" }, ...samples,
    el("details", {}, el("summary", { say: "legend.numbers" }), el("dl", {}, ...means)));
}
