// The timeline: each era with what its technique did, why it came, what it could not do, and a living
// example that really does it, through a line of its own.

import { beforeFrames, el, saying, wantsCalm } from "./dom.js";
import { Diagram } from "./diagram.js";
import { Lane } from "./lanes.js";
import { room } from "./room.js";
import { markerIcon, SLUGS, technique, TECHNIQUES } from "./techniques.js";
import { theme } from "./theme.js";

const CHANNEL = "clock"; // tells the time, once a second
const SPAN_MS = 8000;
const LAG_MS = 150;
const FRAME_MS = 33;
const CALM_MS = 1000;
const TOLD = ["did", "why", "not", "source"];

const parts = {};
let era = SLUGS[0];
let lane = null;
let diagram = null;
let isShown = false;
let lastDrawn = 0;

export function mount(section) {
  parts.links = TECHNIQUES.map(({ slug, year }) =>
    el("a", { href: `#timeline?era=${slug}`, data: { era: slug } }, markerIcon(slug),
      el("span", { className: "year", textContent: year }), el("span", { say: `technique.${slug}` })));
  parts.title = el("h2", {});
  parts.told = Object.fromEntries(TOLD.map((name) => [name, el("dd", {})]));
  parts.stage = el("div", { className: "stage" });
  parts.canvas = el("canvas", { attributes: { role: "img" }, label: "race.canvas" });
  parts.state = el("small", { className: "state", attributes: { role: "status" } });
  parts.note = el("p", { className: "note" });
  section.append(
    el("div", { className: "heading" }, el("h1", { say: "timeline.title" })),
    el("p", { className: "sentence", say: "timeline.intro" }),
    el("nav", { className: "eras", label: "timeline.eras" },
      el("ol", {}, ...parts.links.map((link) => el("li", {}, link)))),
    el("div", { className: "era" },
      el("article", {}, parts.title,
        el("dl", {}, ...TOLD.flatMap((name) => [el("dt", { say: `timeline.${name}` }), parts.told[name]]))),
      el("div", { className: "living" }, el("h3", {}, el("span", { say: "timeline.living" }), " ", parts.state),
        parts.note, parts.stage,
        parts.canvas)),
  );
}

export function show(parameters) {
  isShown = true;
  const asked = parameters.get("era");
  open(SLUGS.includes(asked) ? asked : era);
  askToDraw();
}

export function hide() {
  isShown = false;
  close();
}

function close() {
  parts.stage.replaceChildren();
  lane?.close();
  diagram?.close();
  lane = diagram = null;
}

function open(slug) {
  if (lane?.slug === slug) return;
  close();
  era = slug;
  for (const link of parts.links) {
    if (link.dataset.era === slug) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  parts.title.replaceChildren(markerIcon(slug),
    el("span", { className: "year", textContent: technique(slug).year }),
    " ", el("span", { say: `technique.${slug}` }));
  for (const name of TOLD) {
    saying(parts.told[name], `${slug}.${name}`);
    parts.told[name].previousElementSibling.hidden = !parts.told[name].textContent;
  }
  saying(parts.note, `${slug}.living`);
  parts.note.hidden = !parts.note.textContent;
  lane = new Lane(slug, { channel: CHANNEL, holder: parts.stage, show: true });
  if (technique(slug).own_port) showPlugin(lane);
  lane.onNews(stand);
  stand();
  diagram = new Diagram(parts.canvas, lane);
}

/** Say how the example stands, while it does not run: a slow line makes it wait. */
function stand() {
  const status = lane?.status ?? "open";
  if (status === "open") parts.state.textContent = "";
  else saying(parts.state, `state.${status}`);
}

/** The emulated plugin has no frame, so what it hands over is shown here. */
function showPlugin(plugin) {
  const list = el("ol", { className: "plugin" });
  parts.stage.append(list);
  plugin.onNews(({ messages }) => {
    for (const { id, sender, text } of messages) {
      list.append(el("li", { value: id, textContent: `${sender}: ${text}` }));
      if (list.childElementCount > 6) list.firstElementChild.remove();
    }
  });
}

const askToDraw = beforeFrames(draw);

function draw(time) {
  if (!isShown) return;
  askToDraw();
  if (!diagram || time - lastDrawn < (wantsCalm() ? CALM_MS : FRAME_MS)) return;
  lastDrawn = time;
  diagram.draw(room.serverNow() - LAG_MS, SPAN_MS, theme());
}

export function key(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const next = Math.min(Math.max(SLUGS.indexOf(era) + step, 0), SLUGS.length - 1);
  location.hash = `timeline?era=${SLUGS[next]}`;
  event.preventDefault();
}
