// What the lecturer asks the room, above every view: people vote, and see the result beside what was
// measured once the lecturer shows it.

import { attempt, el, notify, saying, setText } from "../dom.js";
import { number, say } from "../i18n.js";
import { room } from "../room.js";
import { perform } from "../script/tour.js";
import { who } from "./part.js";
import { answerOf, readQuestion } from "./questions.js";

const parts = {};
let drawn = ""; // what is shown: question, round, and whether its result is
let chosen = null;

/** Ask the room; the race shows what decides. */
export const ask = (name) =>
  room.control("ask", { question: name, choices: readQuestion(name).labels.length });

/** Show how the votes fell, beside what this page's lanes have measured. */
export async function showResult() {
  const { question } = room.state.asked;
  const { lanes } = await import("../view_race.js");
  const answer = answerOf(question, lanes);
  await room.control("show", answer);
  if (answer.measured === null) notify(say("asked.not-measured"));
}

export function mountAsked(holder) {
  parts.title = el("h2", { id: "asked-title" });
  parts.choices = el("ul", { className: "choices" });
  parts.found = el("p", { className: "found", attributes: { role: "status" } });
  parts.count = el("span", {});
  const button = (name, click) => el("button", { type: "button", id: `asked-${name}`, say: `asked.${name}`,
    on: { click } });
  parts.orders = el("div", { className: "buttons orders" },
    button("measure", () => perform(`race?preset=${readQuestion(room.state.asked.question).preset}`)),
    button("show", () => attempt(showResult)),
    button("end", () => attempt(() => room.control("ask", { question: null }))));
  parts.node = el("aside", { id: "asked", hidden: true, attributes: { "aria-labelledby": "asked-title" } },
    el("div", { className: "heading" }, parts.title, parts.orders),
    parts.choices, el("p", { className: "said" }, parts.found, " ", parts.count));
  holder.append(parts.node);
  for (const news of ["state", "role"]) room.addEventListener(news, fill);
  addEventListener("language", () => { drawn = ""; fill(); });
}

function fill() {
  const asked = room.state?.asked;
  const question = readQuestion(asked?.question);
  parts.node.hidden = !question;
  parts.orders.hidden = !room.isLecturer;
  if (!question) {
    drawn = "";
    return;
  }
  const { counts, round, votes } = asked;
  setText(parts.count, say("asked.votes", { count: number(votes) }));
  const now = `${asked.question} ${round} ${counts ?? ""} ${asked.measured}`;
  if (now === drawn) return;
  if (!drawn.startsWith(`${asked.question} ${round} `)) chosen = null;
  drawn = now;
  saying(parts.title, `q.${asked.question}`);
  parts.choices.replaceChildren(...question.labels.map((label, i) =>
    (counts ? result(label(), counts[i], Math.max(...counts, 1), asked.fits === i, chosen === i)
      : choice(label(), i))));
  const { measured } = asked;
  setText(parts.found, !counts || measured === null ? ""
    : say(`q.${asked.question}.found`, { value: question.write(measured) }));
}

function choice(label, i) {
  return el("li", {}, el("button", { type: "button", textContent: label,
    attributes: { "aria-pressed": String(chosen === i) }, on: { click: () => vote(i) } }));
}

async function vote(i) {
  const { question } = room.state.asked;
  const order = { who: who(), question, choice: i };
  if (!(await attempt(() => room.post("vote", order, { viewer: room.viewer })))) return;
  chosen = i;
  [...parts.choices.querySelectorAll("button")].forEach((button, at) =>
    button.setAttribute("aria-pressed", String(at === i)));
}

function result(label, count, most, isFit, isOwn) {
  const bar = el("span", { className: "bar" });
  bar.style.width = `${(100 * count) / most}%`;
  return el("li", { className: isFit ? "fit" : "" },
    el("b", { textContent: label }),
    el("span", { className: "bars" }, bar),
    el("span", { className: "votes", textContent: number(count) }),
    el("span", { className: "sign" }, ...(isFit ? ["✔ ", el("span", { say: "asked.fits" })] : []),
      ...(isOwn ? [" ", el("span", { say: "asked.own" })] : [])));
}
