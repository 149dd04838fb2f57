// The chat: people on different techniques in one room. What somebody wrote is text, and stays text.

import { attempt, el, notify, saying, setText } from "./dom.js";
import { bytes, duration, number, say, time } from "./i18n.js";
import { Lane } from "./lanes.js";
import { ofTab } from "./memory.js";
import { Present } from "./present.js";
import { randomName } from "./room.js";
import { announced, announcement, fitting, MOST_BYTES, sendBytes } from "./sending.js";
import { SLUGS, technique } from "./techniques.js";

export const CHANNEL = "room";
const KEPT = 200;
const TELL_MS = 2000;
// Pictures that cannot hold scripts; all else is offered as a file to save.
/** @type {[type: string, start: number[]][]} */
const PICTURES = [
  ["image/png", [0x89, 0x50, 0x4e, 0x47]],
  ["image/jpeg", [0xff, 0xd8, 0xff]],
  ["image/gif", [0x47, 0x49, 0x46, 0x38]],
  ["image/bmp", [0x42, 0x4d]],
];

export const lanes = new Map(); // "chat" and "echo": open lanes
const parts = {};
const present = new Present();
const names = new Map(); // sender: the name of the file that comes next
let standing = ""; // the words for how the chat's lane stands
let untold = [];
let telling = 0;

export function mount(section) {
  parts.name = el("input", { id: "chat-name", maxLength: 40, required: true, autocomplete: "nickname",
    dir: "auto", value: ofTab.get("duplex.name") ?? "" });
  parts.technique = el("select", { id: "chat-technique" },
    ...SLUGS.map((slug) => el("option", { value: slug, say: `technique.${slug}` })));
  parts.technique.value = "web_socket";
  parts.connect = el("button", { say: "chat.connect" });
  parts.state = el("p", { id: "chat-state", className: "state" });
  parts.text = el("input", { id: "chat-text", maxLength: 2000, autocomplete: "off",
    dir: "auto", placeholder: "chat.write" });
  parts.all = el("button", { say: "chat.all" });
  parts.echo = el("button", { type: "button", say: "chat.echo", on: { click: echo } });
  parts.file = el("input", { type: "file", id: "chat-file", className: "visually-hidden",
    on: { change: sendFile } });
  parts.cost = el("p", { id: "chat-cost", className: "cost", attributes: { "aria-live": "polite" } });
  parts.progress = el("progress", { id: "chat-progress", hidden: true, label: "chat.sending" });
  parts.list = el("ol", { id: "chat-list" });
  parts.told = el("p", { className: "visually-hidden", attributes: { role: "status" } });
  parts.writing = el("fieldset", { disabled: true, className: "writing" },
    el("legend", { className: "visually-hidden", say: "chat.send" }),
    el("label", { htmlFor: "chat-text", say: "chat.message" }), parts.text, parts.all, parts.echo,
    parts.file, el("label", { htmlFor: "chat-file", className: "button", say: "chat.file" }));
  section.append(
    el("div", { className: "heading" }, el("h1", { say: "chat.title" })),
    el("p", { className: "sentence", say: "chat.intro" }),
    el("form", { className: "connect", on: { submit: toggle } },
      el("div", { className: "field" },
        el("label", { htmlFor: "chat-name", say: "chat.name" }), parts.name),
      el("div", { className: "field" },
        el("label", { htmlFor: "chat-technique", say: "chat.technique" }), parts.technique),
      parts.connect, parts.state),
    el("form", { on: { submit: sendAll } }, parts.writing),
    parts.cost, parts.progress, present.node,
    el("h2", { say: "chat.received" }),
    // It is turned around, so that its end stays in sight by itself, whatever grows above.
    el("div", { className: "following", tabIndex: 0, label: "chat.received",
      attributes: { role: "region" } }, parts.list),
    parts.told,
  );
  addEventListener("language", stand);
}

// The name is not focused: on a phone that opens the keyboard, elsewhere it swallows shortcuts.
export function show() {}

/** Say how the chat's lane stands. */
function stand() {
  const lane = lanes.get("chat");
  if (lane && standing) setText(parts.state, say(standing, { technique: say(`technique.${lane.slug}`) }));
}

function toggle(event) {
  event.preventDefault();
  if (lanes.has("chat")) disconnect();
  else connect();
}

function connect() {
  const name = parts.name.value.trim();
  if (!name) return;
  ofTab.set("duplex.name", name);
  const lane = open(CHANNEL, name);
  lanes.set("chat", lane);
  lane.onNews((news) => hear(news, "chat"));
  parts.name.disabled = parts.technique.disabled = true;
  saying(parts.connect, "chat.disconnect");
  saying(parts.state, "chat.connecting");
}

function open(channel, name) {
  const holder = document.getElementById("dock");
  return new Lane(parts.technique.value, { channel, holder, name });
}

function disconnect() {
  for (const lane of lanes.values()) lane.close();
  lanes.clear();
  standing = "";
  parts.name.disabled = parts.technique.disabled = false;
  parts.writing.disabled = true;
  present.clear();
  names.clear();
  saying(parts.connect, "chat.connect");
  saying(parts.state, "chat.disconnected");
}

function hear({ state, detail, messages, gap }, which) {
  if (state === "problem") notify(detail);
  const lane = lanes.get("chat");
  if (!lane) return;
  if (state === "open" || state === "broken") {
    parts.writing.disabled = false;
    if (state === "open" && standing !== "chat.connected") present.ask();
    parts.state.removeAttribute("data-say");
    standing = state === "open" ? "chat.connected" : "chat.broken";
    stand();
  }
  if (gap && which === "chat") add(el("li", { className: "notice", say: "chat.gap" }));
  for (const message of messages) add(item(message, which));
}

function add(node) {
  const { list } = parts;
  list.append(node);
  while (list.childElementCount > KEPT) {
    for (const one of list.firstElementChild.querySelectorAll("[data-blob]")) {
      URL.revokeObjectURL(one.dataset.blob);
    }
    list.firstElementChild.remove();
  }
}

/** Make a line of the list. All that people wrote goes in as text. */
function item(message, which) {
  const { id, sender, presence, text } = message;
  const file = announced(text);
  if (file !== null) {
    names.set(sender, file);
    const [before, between, after] = say("chat.sends", { name: "\n", file: "\n" }).split("\n");
    return el("li", { className: "notice" }, before, el("bdi", { textContent: sender }), between,
      el("bdi", { textContent: file }), after);
  }
  if (presence) {
    present.hear(message);
    const technique = SLUGS.includes(text) ? say(`technique.${text}`) : text;
    const [before, after] = say(`chat.${presence}`, { name: "\n", technique }).split("\n");
    return el("li", { className: "notice" }, before, el("bdi", { textContent: sender }), after);
  }
  tell(`${sender}: ${text ?? say("chat.a-file")}`);
  // What people wrote has a direction of its own, and must not turn around what stands beside it.
  const name = message.bytes && names.get(sender);
  if (name) names.delete(sender);
  const body = message.bytes ? shown(message.bytes, name)
    : el("span", { className: "text", dir: "auto", textContent: text });
  const mark = which === "echo" ? say("chat.echoed") : `#${number(id)}`;
  return el("li", { className: which, data: { message: id } },
    el("span", { className: "id", textContent: mark }), " ",
    el("b", { dir: "auto", textContent: sender }), " ", body, " ",
    el("small", { textContent: `${time()} · ${duration(message.latency)}` }));
}

/** Show bytes: a picture where they are one, else a file to save. */
function shown(content, name) {
  const type = PICTURES.find(([, start]) => start.every((byte, i) => content[i] === byte))?.[0];
  const blob = URL.createObjectURL(new Blob([content], { type: type ?? "application/octet-stream" }));
  const words = say("chat.of-bytes", { size: bytes(content.length) });
  const link = el("a", { href: blob, download: name || (type ? `picture.${type.slice(6)}` : "file"),
    textContent: name ? `${words} · ${name}` : words, data: { blob } });
  if (!type) return link;
  return el("span", { className: "picture" }, el("img", { src: blob, alt: say("chat.picture") }), link);
}

/** Read new messages out, but never more often than somebody can listen. */
function tell(words) {
  untold.push(words);
  if (telling) return;
  telling = setTimeout(() => {
    telling = 0;
    const many = untold.length > 1 ? `${say("chat.new", { count: number(untold.length) })} ` : "";
    parts.told.textContent = many + untold.at(-1).slice(0, 200);
    untold = [];
  }, TELL_MS);
}

async function sendAll(event) {
  event.preventDefault();
  const text = parts.text.value;
  if (!text) return;
  parts.text.value = "";
  parts.text.focus();
  if (!(await attempt(() => lanes.get("chat").send({ text })))) giveBack(text);
}

/** What could not be sent is not lost, nor is what is being written meanwhile. */
function giveBack(text) {
  parts.text.value = [parts.text.value, text].filter(Boolean).join(" ");
}

/** Send to myself only: up and down again by the same technique, on a channel of my own. */
async function echo() {
  const text = parts.text.value;
  if (!text) return;
  parts.text.value = "";
  if (!lanes.has("echo")) {
    const lane = open(`echo-${randomName()}`, parts.name.value.trim());
    lanes.set("echo", lane);
    lane.onNews((news) => {
      const own = news.messages.filter((message) => !message.presence);
      hear({ ...news, messages: own, state: news.state === "problem" ? "problem" : "" }, "echo");
    });
    await new Promise((resolve) => {
      const ready = () => (lane.status === "open" || lane.isClosed ? resolve() : setTimeout(ready, 50));
      ready();
    });
  }
  const lane = lanes.get("echo");
  if (!lane || !(await attempt(() => lane.send({ text })))) giveBack(text);
}

async function sendFile() {
  const chosen = parts.file.files[0];
  const lane = lanes.get("chat");
  if (!chosen || !lane) return;
  parts.file.value = "";
  parts.file.disabled = true; // one after the other
  const file = await fitting(chosen);
  if (file) await sendFitting(lane, file, chosen);
  else notify(say("chat.too-large", { most: bytes(MOST_BYTES) }));
  parts.progress.hidden = true;
  parts.file.disabled = false;
}

async function sendFitting(lane, file, chosen) {
  const smaller = file === chosen ? "" : say("chat.smaller", { from: bytes(chosen.size), to: bytes(file.size) });
  parts.cost.textContent = smaller;
  const went = await attempt(async () => {
    await lane.send({ text: announcement(file.name) });
    const content = new Uint8Array(await file.arrayBuffer());
    const { up, sent } = await sendBytes(lane, content, progress);
    parts.cost.textContent = `${smaller} ${costOf(lane, content.length, up)}`.trim();
    await sent;
  });
  if (!went) parts.cost.textContent = say("chat.file-lost", { file: file.name });
}

function progress(passed, all) {
  parts.progress.hidden = passed >= all;
  Object.assign(parts.progress, { max: all, value: passed });
}

function costOf({ slug }, size, up) {
  const more = number((100 * (up - size)) / size, 1);
  const way = technique(slug).codec === "web_socket_frames" ? "chat.cost-binary" : "chat.cost-base64";
  return say(way, { size: bytes(size), up: bytes(up), more });
}
