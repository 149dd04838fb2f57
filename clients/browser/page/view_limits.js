// The limits lab: how many connections a browser opens to one origin, and what cures it.

import { el, setText } from "./dom.js";
import { number, say } from "./i18n.js";
import { keepLoading } from "./lanes.js";
import { lines, room } from "./room.js";

const SLOTS = 6; // HTTP/1.1 connections to one origin, in all browsers of today
const SHOWN = 12;
const CURES = ["close", "share", "http2", "web_socket"];

const parts = {};
let frame = null;
let origin = "";
let told = { sources: [], sockets: [] };

export function mount(section) {
  const button = (name, order) => el("button", { type: "button", id: `limits-${name}`, say: `limits.${name}`,
    disabled: true,
    on: { click: () => tell(order) } });
  parts.waiting = el("p", { className: "network", say: "state.waiting", attributes: { role: "status" } });
  parts.slots = el("ol", { className: "slots", id: "slots", label: "limits.sources" });
  parts.said = el("p", { className: "sentence", id: "limits-said", attributes: { role: "status" } });
  parts.sockets = el("p", { id: "limits-sockets", className: "count", attributes: { role: "status" } });
  section.append(
    el("div", { className: "heading" }, el("h1", { say: "limits.title" }), parts.waiting),
    el("p", { className: "sentence", say: "limits.intro" }),
    el("h2", { say: "limits.sources" }),
    el("div", { className: "buttons" }, button("open", { order: "source" }),
      button("close", { order: "closeSource" }), button("all", { order: "closeAll" })),
    parts.slots, parts.said,
    el("h2", { say: "limits.sockets" }),
    el("p", { say: "limits.sockets-intro" }),
    el("div", { className: "buttons" }, button("socket", { order: "socket", count: 1 }),
      button("ten", { order: "socket", count: 10 }), button("hundred", { order: "socket", count: 100 })),
    parts.sockets,
    el("h2", { say: "limits.cures" }),
    el("ul", {}, ...CURES.map((cure) => el("li", { say: `limits.cure-${cure}` }))),
  );
  parts.buttons = [...section.querySelectorAll("button")];
  draw(told);
  addEventListener("language", () => draw(told));
}

export function show() {
  if (frame) return;
  origin = `${location.protocol}//${location.hostname}:${lines.limits}`;
  const address = `${origin}/lane?technique=limits&channel=limits&viewer=${room.viewer}`;
  frame = el("iframe", { title: "limits", tabIndex: -1 });
  keepLoading(frame, address, () => parts.waiting.hidden);
  addEventListener("message", (event) => {
    if (event.origin !== origin || event.source !== frame.contentWindow) return;
    if (event.data.ready) stand(true);
    if (event.data.limits) draw(event.data.limits);
  });
  document.getElementById("dock").append(frame);
  room.addEventListener("anew", () => {
    draw({ sources: [], sockets: [] });
    stand(false);
    frame.src = address;
  });
}

/** Its buttons do something once the lab's own page is there, which on a slow line takes a while. */
function stand(isReady) {
  parts.slots.dataset.ready = String(isReady);
  parts.waiting.hidden = isReady;
  for (const button of parts.buttons) button.disabled = !isReady;
}

const tell = (order) => frame?.contentWindow.postMessage(order, origin);

function draw(limits) {
  told = limits;
  const { sources, sockets } = limits;
  const count = (list, state) => list.filter((one) => one === state).length;
  const boxes = Array.from({ length: Math.max(SLOTS, Math.min(sources.length, SHOWN)) }, (_, i) => {
    const state = sources[i] ?? "free";
    return el("li", { className: `slot ${state}${i >= SLOTS ? " over" : ""}`, data: { state } },
      el("b", { textContent: number(i + 1) }), el("span", { say: `slot.${state}` }));
  });
  parts.slots.replaceChildren(...boxes);
  const waiting = count(sources, "waiting");
  setText(parts.said, say(waiting && sources.length > SLOTS ? "limits.waits" : "limits.counted",
    { open: number(count(sources, "open")), waiting: number(waiting) }));
  const refused = count(sockets, "refused");
  setText(parts.sockets, say(refused ? "limits.sockets-refused" : "limits.sockets-counted",
    { open: number(count(sockets, "open")), waiting: number(count(sockets, "waiting")),
      refused: number(refused), all: number(sockets.length) }));
}
