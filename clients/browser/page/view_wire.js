// The wire: the bytes of any lane as the relay recorded them, taken apart.

import { owed, takeApart } from "./bytes.js";
import { lanes as chatLanes } from "./view_chat.js";
import { el } from "./dom.js";
import { handshakePanel } from "./handshake.js";
import { bytes, number, say } from "./i18n.js";
import { lanes as raceLanes, openLanes } from "./view_race.js";
import { room } from "./room.js";
import { SLUGS, technique } from "./techniques.js";

const SHOWN = 60;
const REFRESH_MS = 250;
const perLine = () => (matchMedia("(max-width: 760px)").matches ? 8 : 16); // bytes, as wide as a phone

const parts = {};
let timer = 0;
let newest = 0;
let picked = null;
let handshake;

export function mount(section) {
  parts.technique = el("select", { id: "wire-technique", on: { change: choose } },
    ...SLUGS.map((slug) => el("option", { value: slug, say: `technique.${slug}` })));
  parts.technique.value = "web_socket";
  parts.source = el("select", { id: "wire-source", on: { change: choose } },
    el("option", { value: "race", say: "nav.race" }), el("option", { value: "chat", say: "nav.chat" }));
  parts.follow = el("input", { type: "checkbox", id: "wire-follow", checked: true });
  parts.list = el("ol", { id: "wire-list", label: "wire.events", on: { keydown: move } });
  parts.dump = el("div", { id: "wire-dump", tabIndex: 0, label: "wire.bytes",
    attributes: { role: "region" } });
  parts.pieces = el("ol", { id: "wire-pieces", className: "pieces" });
  parts.about = el("p", { className: "about" });
  addEventListener("language", () => { if (picked && lane()) pick(picked); });
  handshake = handshakePanel();
  const field = (control, words) =>
    el("div", { className: "field" }, el("label", { htmlFor: control.id, say: words }), control);
  section.append(
    el("div", { className: "heading" }, el("h1", { say: "wire.title" })),
    el("p", { className: "sentence", say: "wire.intro" }),
    el("div", { className: "controls plain" }, field(parts.technique, "wire.technique"),
      field(parts.source, "wire.source"), field(parts.follow, "wire.follow"),
      el("button", { type: "button", id: "wire-save", say: "wire.save", on: { click: save } })),
    el("div", { className: "wire" }, parts.list,
      el("div", { className: "apart" }, parts.about, parts.dump, parts.pieces)),
    handshake.panel,
  );
}

export function show(parameters) {
  openLanes();
  const technique = parameters.get("technique");
  if (SLUGS.includes(technique)) parts.technique.value = technique;
  clearInterval(timer);
  timer = setInterval(refresh, REFRESH_MS);
  choose();
}

export function hide() {
  clearInterval(timer);
}

const isChat = () => parts.source.value === "chat";
const lane = () => (isChat() ? chatLanes.get("chat") : raceLanes.get(parts.technique.value));
const dataOf = (event) => Uint8Array.from(atob(event.data), (letter) => letter.charCodeAt(0));

/** Let the browser keep what passed on all lines of this page, for Wireshark. */
async function save() {
  try {
    const href = URL.createObjectURL(await room.post("capture", {}, { viewer: room.viewer }));
    el("a", { href, download: "duplex.pcapng" }).click();
    setTimeout(() => URL.revokeObjectURL(href), 60000);
  } catch (error) {
    parts.about.textContent = error.message;
  }
}

function begin() {
  newest = 0;
  picked = null;
  parts.list.replaceChildren();
}

function choose() {
  begin();
  parts.technique.disabled = isChat();
  refresh();
}

/** Show what passed since; the last event that carried bytes is taken apart while following. */
function refresh() {
  const events = lane()?.track.events ?? [];
  if (events.length && events.at(-1).seq < newest) begin(); // another relay numbers anew
  for (const { track } of raceLanes.values()) if (track.handshake) handshake.live(track.handshake);
  const fresh = events.filter(({ seq, length }) => seq > newest && length).slice(-SHOWN);
  if (events.length) newest = Math.max(newest, events.at(-1).seq);
  for (const event of fresh) parts.list.append(line(event));
  while (parts.list.childElementCount > SHOWN) parts.list.firstElementChild.remove();
  if (fresh.length && parts.follow.checked) {
    parts.list.scrollTop = parts.list.scrollHeight;
    pick(fresh.at(-1));
  }
}

function line(event) {
  const { seq, kind, length, left } = event;
  const start = String.fromCharCode(...dataOf(event).subarray(0, 36)).replace(/[^ -~]/g, "·");
  const button = el("button", { type: "button", className: kind, data: { seq },
    on: { click: () => { parts.follow.checked = false; pick(event); } } },
  el("span", { textContent: kind === "up" ? "↑" : "↓", label: `wire.${kind}`,
    attributes: { role: "img" } }),
  el("span", { className: "size", textContent: bytes(length) }),
  el("span", { className: "when", textContent: number((left - room.startedAt) / 1000, 3) }),
  el("code", { textContent: start }));
  return el("li", {}, button);
}

/** Up and down arrows walk through the events. */
function move(event) {
  const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
  const next = step && event.target.closest("li")?.[step]?.firstElementChild;
  if (!next) return;
  event.preventDefault();
  next.focus();
  next.click();
}

function pick(event) {
  picked = event;
  for (const button of parts.list.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.seq) === event.seq));
  }
  const data = dataOf(event);
  const { slug } = lane();
  const { isUpgraded, skip } = before(event);
  const pieces = takeApart(data, slug, event.kind, isUpgraded, skip);
  parts.about.textContent = say(data.length < event.length ? "wire.about-part" : "wire.about",
    { length: bytes(event.length), connection: number(event.connection), kept: bytes(data.length) });
  parts.dump.replaceChildren(dump(data, pieces));
  parts.pieces.replaceChildren(...pieces.slice(0, 80).map((piece) =>
    el("li", { className: `piece-${piece.kind}`, textContent: say(piece.words, written(piece.values)) })));
}

const written = (values = {}) => Object.fromEntries(Object.entries(values).map(([name, value]) =>
  [name, typeof value === "number" ? number(value) : value]));

/** Find out what went before on the same connection and way: an upgrade, or half a frame. */
function before({ connection, kind, seq }) {
  const { slug } = lane();
  const hasFrames = technique(slug).codec === "web_socket_frames";
  let isUpgraded = false;
  let skip = 0;
  for (const event of lane().track.events) {
    if (event.seq >= seq) break;
    if (event.connection !== connection || !event.length) continue;
    if (event.path === `/${slug}`) isUpgraded = hasFrames;
    else if (event.path) isUpgraded = false;
    else if (isUpgraded && event.kind === kind) {
      const data = dataOf(event);
      // An answer to the handshake is a head and not a frame.
      skip = data[0] === 0x48 ? 0 : owed(data, event.length, skip);
    }
  }
  // The handshake itself may have left the list; what is no HTTP on this technique is a frame.
  return { isUpgraded: isUpgraded || hasFrames, skip };
}

/** Write bytes as offset, hex and text, in the colours of the pieces. */
function dump(data, pieces) {
  const kinds = new Array(data.length).fill("");
  for (const { from, to, kind } of pieces) kinds.fill(kind, from, to);
  const pre = el("pre");
  const width = perLine();
  for (let at = 0; at < data.length; at += width) {
    const row = [...data.subarray(at, at + width)];
    pre.append(el("span", { className: "offset", textContent: at.toString(16).padStart(4, "0") }), "  ",
      ...runs(row, kinds, at, (byte) => `${byte.toString(16).padStart(2, "0")} `),
      " ".repeat(3 * (width - row.length) + 1),
      ...runs(row, kinds, at, (byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : "·")), "\n");
  }
  return pre;
}

function runs(row, kinds, at, write) {
  const made = [];
  let from = 0;
  for (let i = 1; i <= row.length; i += 1) {
    if (i < row.length && kinds[at + i] === kinds[at + from]) continue;
    const text = row.slice(from, i).map(write).join("");
    made.push(el("span", { className: `piece-${kinds[at + from]}`, textContent: text }));
    from = i;
  }
  return made;
}
