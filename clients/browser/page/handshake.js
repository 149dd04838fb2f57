// The opening handshake, step by step: how the accept is computed, and why a wrong one is refused.

import { el } from "./dom.js";
import { number, say } from "./i18n.js";
import { sha1 } from "./sha1.js";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; // RFC 6455, 1.3: the same for everybody
const PRINTED_KEY = "x3JJHMbDL1EzLkh9GBhXDw==";
const PRINTED_ACCEPT = "HSmMlYUkAGmm5OPpG2HaGWk=";

const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");

/** Compute the accept that belongs to a key. */
export async function acceptOf(key) {
  const digest = await sha1(new TextEncoder().encode(key + GUID));
  return { digest, accept: btoa(String.fromCharCode(...digest)) };
}

/** Return how many bytes a base64 text stands for; null where it is none. */
function sizeOf(text) {
  try {
    return atob(text).length;
  } catch {
    return null;
  }
}

/** Make the panel. Its `fill` takes the key and the accept of a handshake that passed. */
export function handshakePanel() {
  const key = el("input", { id: "hs-key", spellcheck: false, autocomplete: "off" });
  const accept = el("input", { id: "hs-accept", spellcheck: false, autocomplete: "off" });
  const steps = el("ol", { className: "steps" });
  const verdict = el("p", { id: "hs-verdict", attributes: { role: "status" } });

  async function check() {
    const [asked, given] = [key.value.trim(), accept.value.trim()];
    const { digest, accept: right } = await acceptOf(asked);
    const step = (words, value) =>
      el("li", {}, el("span", { textContent: say(words) }), " ", el("code", { textContent: value }));
    steps.replaceChildren(
      step("handshake.key", asked),
      step("handshake.guid", asked + GUID),
      step("handshake.sha1", hex(digest)),
      step("handshake.base64", right),
    );
    if (!given) {
      verdict.textContent = "";
      return;
    }
    const isRight = given === right;
    const size = sizeOf(given);
    verdict.className = isRight ? "good" : "bad";
    verdict.textContent = isRight ? `✓ ${say("handshake.right")}`
      : `✗ ${say(size === 20 ? "handshake.wrong" : "handshake.short", { given, right,
        size: size === null ? "–" : number(size) })}`;
  }

  function fill(newKey, newAccept) {
    key.value = newKey;
    accept.value = newAccept;
    check();
  }

  for (const field of [key, accept]) field.addEventListener("input", check);
  addEventListener("language", check);
  let passed = null;
  const useLive = el("button", { type: "button", say: "handshake.live", disabled: true,
    on: { click: () => fill(passed.key, passed.accept) } });
  const panel = el("section", { className: "handshake", id: "handshake" },
    el("h2", { say: "handshake.title" }),
    el("p", { say: "handshake.intro" }),
    el("div", { className: "field" },
      el("label", { htmlFor: "hs-key", textContent: "Sec-WebSocket-Key" }), key),
    el("div", { className: "field" },
      el("label", { htmlFor: "hs-accept", textContent: "Sec-WebSocket-Accept" }), accept),
    el("div", { className: "buttons" }, useLive,
      el("button", { type: "button", id: "hs-printed", say: "handshake.printed",
        on: { click: () => fill(PRINTED_KEY, PRINTED_ACCEPT) } })),
    steps, verdict);
  return {
    panel,
    /** A handshake passed: show it, unless another is looked at. */
    live(news) {
      const isFirst = !passed;
      passed = news;
      useLive.disabled = false;
      if (isFirst && !key.value) fill(news.key, news.accept);
    },
  };
}
