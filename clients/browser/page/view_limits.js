// The limits lab: how many connections a browser opens to one origin, and what cures it.

import { el, setText } from "./dom.js";
import { number, say } from "./i18n.js";
import { keepLoading } from "./lanes.js";
import { lines, room } from "./room.js";

const SLOTS = 6; // HTTP/1.1 connections to one origin, in all browsers of today
const SHOWN = 12;
const SHARED = 20; // shown where they share one connection
const CURES = ["close", "share", "http2", "web_socket"];
const LOOK_MS = 500; // whether the tab is still there

const parts = {};
let frame = null;
let tab = null; // the lab's page in a tab of its own, by HTTP/2
let told = { sources: [], sockets: [] };

export function mount(section) {
  const button = (name, order) => el("button", { type: "button", id: `limits-${name}`, say: `limits.${name}`,
    disabled: true,
    on: { click: () => tell(order) } });
  parts.waiting = el("p", { className: "network", say: "state.waiting", attributes: { role: "status" } });
  parts.slots = el("ol", { className: "slots", id: "slots", label: "limits.sources" });
  parts.said = el("p", { className: "sentence", id: "limits-said", attributes: { role: "status" } });
  parts.sockets = el("p", { id: "limits-sockets", className: "count", attributes: { role: "status" } });
  parts.switch = el("button", { type: "button", id: "limits-switch", on: { click: change } });
  parts.front = el("p", { id: "limits-front", attributes: { role: "status" } });
  const orders = [
    el("div", { className: "buttons" }, button("open", { order: "source" }),
      button("ten", { order: "source", count: 10 }), button("close", { order: "closeSource" }),
      button("all", { order: "closeAll" })),
    parts.slots, parts.said,
    el("h2", { say: "limits.sockets" }),
    el("p", { say: "limits.sockets-intro" }),
    el("div", { className: "buttons" }, button("socket", { order: "socket", count: 1 }),
      button("ten-sockets", { order: "socket", count: 10 }),
      button("hundred", { order: "socket", count: 100 })),
    parts.sockets,
  ];
  section.append(
    el("div", { className: "heading" }, el("h1", { say: "limits.title" }), parts.waiting),
    el("p", { className: "sentence", say: "limits.intro" }),
    el("h2", { say: "limits.sources" }),
    ...orders,
    el("h2", { say: "limits.http2" }),
    el("p", { say: "limits.http2-intro" }),
    el("div", { className: "buttons" }, parts.switch), parts.front,
    el("h2", { say: "limits.cures" }),
    el("ul", {}, ...CURES.map((cure) => el("li", { say: `limits.cure-${cure}` }))),
  );
  parts.buttons = [...section.querySelectorAll("button")].filter((one) => one !== parts.switch);
  draw(told);
  drawFront();
  for (const kind of ["state", "role"]) room.addEventListener(kind, drawFront);
  addEventListener("language", () => { draw(told); drawFront(); });
}

const origin = () => (tab ? `https://${location.hostname}:${room.state.front.port}`
  : `http://${location.hostname}:${lines.limits}`);
const address = () => `${origin()}/lane?technique=limits&channel=limits&viewer=${room.viewer}`;
const lab = () => tab ?? frame?.contentWindow;

export function show() {
  if (frame) return;
  frame = el("iframe", { title: "limits", tabIndex: -1 });
  keepLoading(frame, address(), () => parts.waiting.hidden || tab);
  addEventListener("message", (event) => {
    if (event.origin !== origin() || event.source !== lab()) return;
    if (event.data.ready) stand(true);
    if (event.data.limits) {
      draw(event.data.limits);
      drawFront();
    }
  });
  document.getElementById("dock").append(frame);
  room.addEventListener("anew", () => { if (tab) leave(); else restart(); });
}

function restart() {
  draw({ sources: [], sockets: [] });
  stand(false);
  if (!tab) frame.src = address();
}

/** Go over to HTTP/2, which HAProxy speaks, or back. */
async function change() {
  if (tab) {
    leave();
    return;
  }
  try {
    if (!room.state?.front.port) await room.control("front");
  } catch (error) {
    setText(parts.front, error.message);
    return;
  }
  // In a tab, as nobody can look at a certificate and trust it within a frame.
  tab = open("about:blank");
  if (!tab) return;
  tab.location = address();
  watch();
  drawFront();
}

function watch() {
  frame.src = "about:blank"; // its connections end
  restart();
  const looking = setInterval(() => {
    if (tab && !tab.closed) return;
    clearInterval(looking);
    if (tab) leave();
  }, LOOK_MS);
}

function leave() {
  tab.close();
  tab = null;
  restart();
  drawFront();
}

/** Say how HTTP/2 is to be had, or why it is not. */
function drawFront() {
  const { port = 0, missing = "" } = room.state?.front ?? {};
  setText(parts.switch, say(tab ? "limits.to-http1" : "limits.to-http2"));
  parts.switch.disabled = Boolean(!tab && (missing || !(port || room.isLecturer)));
  setText(parts.front, tab ? say(told.protocol === "h2" ? "limits.rfc8441" : "limits.trust")
    : missing ? say("limits.missing", { program: missing }) : port || room.isLecturer ? "" : say("limits.ask"));
}

/** Its buttons do something once the lab's own page is there, which on a slow line takes a while. */
function stand(isReady) {
  parts.slots.dataset.ready = String(isReady);
  parts.waiting.hidden = isReady;
  for (const button of parts.buttons) button.disabled = !isReady;
}

const tell = (order) => lab()?.postMessage(order, origin());

function draw(limits) {
  told = limits;
  const { sources, sockets, protocol = "" } = limits;
  const isShared = protocol === "h2";
  const count = (list, state) => list.filter((one) => one === state).length;
  const most = isShared ? SHARED : SHOWN;
  const boxes = Array.from({ length: Math.max(SLOTS, Math.min(sources.length, most)) }, (_, i) => {
    const state = sources[i] ?? "free";
    return el("li", { className: `slot ${state}${i >= SLOTS && !isShared ? " over" : ""}`, data: { state } },
      el("b", { textContent: number(i + 1) }), el("span", { say: `slot.${state}` }));
  });
  parts.slots.replaceChildren(...boxes);
  const waiting = count(sources, "waiting");
  setText(parts.said, say(isShared ? "limits.shared" : waiting && sources.length > SLOTS ? "limits.waits"
    : "limits.counted", { open: number(count(sources, "open")), waiting: number(waiting) }));
  const refused = count(sockets, "refused");
  setText(parts.sockets, say(refused ? "limits.sockets-refused" : "limits.sockets-counted",
    { open: number(count(sockets, "open")), waiting: number(count(sockets, "waiting")),
      refused: number(refused), all: number(sockets.length) }));
}
