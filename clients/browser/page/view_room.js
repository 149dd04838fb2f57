// The room: the address for everybody's phone, taking part, what the room measures, and who may do what.

import { attempt, el, saying, setText } from "./dom.js";
import { ask } from "./hall/asked.js";
import { part } from "./hall/part.js";
import { look, picture } from "./hall/picture.js";
import { QUESTIONS, readQuestion } from "./hall/questions.js";
import { duration, number, say } from "./i18n.js";
import { room } from "./room.js";
import { next } from "./script/tour.js";
import { markerIcon, SLUGS } from "./techniques.js";

const parts = {};
const isOwn = /^(localhost|127\.[\d.]+|\[::1\])$/.test(location.hostname);

export function mount(section) {
  parts.address = el("p", { className: "address" });
  parts.code = el("div", { className: "code" });
  parts.viewers = el("p", {});
  parts.direct = el("code", {});
  parts.whole = el("details", { id: "hall", open: true, on: { toggle: () => look(parts.whole.open) } },
    el("summary", {}, el("h2", { say: "hall.title" })), picture());
  section.append(
    el("div", { className: "heading" }, el("h1", { say: "room.title" })),
    el("div", { className: "hall" },
      el("div", { className: "join" }, parts.address, parts.code, parts.viewers),
      el("div", { className: "took" }, leading(), asking(), taking(), parts.whole)),
    el("h2", { say: "room.rights" }),
    el("ul", {}, ...["watch", "chat", "own", "lecturer"].map((name) => el("li", { say: `room.${name}` }))),
    // What listens on the server's own machine only is no address for another one.
    ...(isOwn ? [el("h2", { say: "room.direct" }),
      el("p", {}, el("span", { say: "room.direct-intro" }), " ", parts.direct)] : []),
  );
  for (const news of ["state", "role"]) room.addEventListener(news, fill);
  for (const news of ["change", "heard"]) part.addEventListener(news, standing);
  addEventListener("language", () => { fill(); standing(); });
}

/** For the lecturer: windows of their own, the tour, and their link for another device. */
function leading() {
  const open = (address, name, how) => () => window.open(`/${address}`, name, how);
  const button = (name, click) => el("button", { type: "button", id: `lead-${name}`, say: `lead.${name}`, on: { click } });
  parts.pass = el("div", { className: "code", hidden: true });
  parts.leading = el("div", { className: "leading", hidden: true },
    el("div", { className: "buttons" },
      button("speaker", () => open(`#speaker?key=${room.key}`, "duplex-speaker", "popup,width=900,height=720")()),
      button("screen", open("#timeline?screen=1", "_blank", "noopener,popup,width=1280,height=720")),
      button("tour", next),
      button("pass", () => attempt(showPass))),
    parts.pass);
  return parts.leading;
}

/** Show the lecturer's own link as a code, or hide it again: it is for nobody else's camera. */
async function showPass() {
  if (parts.pass.firstChild) {
    parts.pass.replaceChildren();
    parts.pass.hidden = true;
    parts.code.hidden = false;
    return;
  }
  const code = el("img", { src: URL.createObjectURL(await room.post("pass")), alt: say("lead.pass-code") });
  parts.pass.replaceChildren(code, el("p", { className: "note", say: "lead.pass-warning" }));
  parts.pass.hidden = false;
  parts.code.hidden = true; // nobody shall read the wrong one
}

/** For the lecturer: what may be asked. */
function asking() {
  const option = (name) => el("option", { value: name, say: `q.${name}` });
  parts.question = el("select", { id: "hall-question" }, ...Object.keys(QUESTIONS).map(option));
  parts.asking = el("form", { className: "connect", hidden: true,
    on: { submit: (event) => { event.preventDefault(); attempt(() => ask(parts.question.value)); } } },
  el("label", { htmlFor: "hall-question", say: "asked.question" }), parts.question,
  el("button", { id: "hall-ask", say: "asked.ask" }));
  return parts.asking;
}

/** For everybody: choose a technique, and see what it does. */
function taking() {
  parts.choices = SLUGS.map((slug) => el("button", { type: "button", data: { part: slug },
    attributes: { "aria-pressed": "false" }, on: { click: () => choose(slug) } },
  markerIcon(slug), el("span", { say: `technique.${slug}` })));
  parts.standing = el("p", { id: "part-standing", attributes: { role: "status" } });
  parts.measured = el("p", { id: "part-measured", className: "count" });
  return el("div", { className: "taking" },
    el("h2", { say: "part.title" }), el("p", { say: "part.intro" }),
    el("div", { className: "buttons techniques", label: "part.title", attributes: { role: "group" } },
      ...parts.choices),
    parts.standing, parts.measured);
}

const choose = (slug) => attempt(() => (part.technique === slug ? part.leave() : part.take(slug)));

export function show(parameters) {
  const asked = parameters.get("ask");
  if (readQuestion(asked)) parts.question.value = asked;
  fill();
  standing();
  look(parts.whole.open);
}

export function hide() {
  look(false);
}

/** Say who one is, and how it goes. */
function standing() {
  const { technique, lane, number: place } = part;
  for (const button of parts.choices) {
    button.setAttribute("aria-pressed", String(button.dataset.part === technique));
  }
  if (!technique) {
    saying(parts.standing, "part.choose");
    setText(parts.measured, "");
    return;
  }
  parts.standing.removeAttribute("data-say");
  setText(parts.standing, say("part.standing",
    { number: number(place), technique: say(`technique.${technique}`), state: say(`hall.${part.state}`) }));
  setText(parts.measured, part.received ? say("part.measured", { age: duration(part.recent.at(-1)),
    mean: duration(lane?.mean()), received: number(part.received), lost: number(part.lost) })
    : say("part.nothing-yet"));
}

function fill() {
  if (!room.state) return;
  const { room: address, viewers, techniques_url: direct } = room.state;
  parts.asking.hidden = parts.leading.hidden = !room.isLecturer;
  setText(parts.address, address || say("room.closed"));
  parts.address.classList.toggle("open", Boolean(address));
  if (address && !parts.code.firstChild) {
    parts.code.append(el("img", { src: "/lecture/qr", alt: say("room.code") }));
  }
  setText(parts.viewers, say("room.viewers", { count: number(viewers) }));
  setText(parts.direct, direct);
}
