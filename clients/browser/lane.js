// A lane: a small page of its own, loaded through its technique's line, in a frame of the lecture
// page. It speaks one technique, and tells the page around it what it received and when. Only
// that page may embed it (the document's policy), and only that page is listened to. By HTTP/2 it
// stands in a tab of its own, which the page has opened.

const { technique: slug, module, pagePort } = document.documentElement.dataset;
const pageOrigin = `http://${location.hostname}:${pagePort}`;
const page = parent === window && window.opener ? window.opener : parent;
const wanted = new URLSearchParams(location.search);
const SHOWN = 6;
const LONGEST_WORD = 8; // characters of a text that is told though the lane is brief

/** @param {News} news */
const report = (news) => page.postMessage({ lane: slug, ...news }, pageOrigin);
const clock = () => performance.timeOrigin + performance.now();

/** What a technique works with: where it stands, and whom it tells. */
class Lane {
  constructor() {
    this.after = "";
    this.seconds = Number(wanted.get("poll")) || 1;
    this.name = wanted.get("name") ?? "";
    this.brief = wanted.has("brief");
    this.frames = document.getElementById("stage");
    this.last = 0;
    this.waiting = [];
  }

  /** Write an address on this lane's own line; its name announces who listens. */
  url(path, more = {}) {
    return this.name ? this.nameless(path, { name: this.name, ...more }) : this.nameless(path, more);
  }

  /** Write an address that announces nobody, for what is not the technique's own asking. */
  nameless(path, more = {}) {
    const query = new URLSearchParams({ channel: wanted.get("channel") });
    query.set("viewer", wanted.get("viewer"));
    for (const [key, value] of Object.entries(more)) query.set(key, value);
    return `${path}?${query}`;
  }

  /** Go on from `cursor`, which is `epoch-id`. */
  moveTo(cursor) {
    this.after = cursor;
    this.last = Number(cursor.slice(cursor.lastIndexOf("-") + 1));
  }

  /** Some messages may be missing; what follows continues after `cursor`. */
  gap(cursor) {
    this.moveTo(cursor);
    report({ gap: true });
  }

  /**
   * Take a message; what was seen before does not count again.
   * @param {Message} message
   */
  take(message, at = clock()) {
    if (message.id <= this.last) return;
    this.last = message.id;
    this.after = `${this.after.slice(0, this.after.lastIndexOf("-") + 1)}${message.id}`;
    const { text, base64, bytes, ...rest } = message;
    /** @type {Message} */
    const fields = rest;
    fields.at = at;
    fields.size = bytes ? bytes.length
      : base64 !== undefined
        ? (base64.length * 3) / 4 - (base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0)
      : new TextEncoder().encode(text).length;
    if (text?.length <= LONGEST_WORD) fields.text = text;
    if (!this.brief) {
      fields.text = text;
      fields.bytes = bytes ?? (base64 === undefined ? undefined
        : Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)));
      this.show(fields);
    }
    if (!this.waiting.length) setTimeout(() => this.tell(), 20);
    this.waiting.push(fields);
  }

  tell() {
    report({ messages: this.waiting });
    this.waiting = [];
  }

  /** @param {Message} message */
  show({ id, sender, text, size }) {
    const list = document.getElementById("messages");
    if (!wanted.has("show") || this.frames.querySelector("iframe:not(.hidden)")) return;
    const item = document.createElement("li");
    item.value = id;
    item.textContent = `${sender}: ${text ?? `(${size} B)`}`;
    list.append(item);
    if (list.childElementCount > SHOWN) list.firstElementChild.remove();
  }

  /** Say how it stands: `open`, `broken`, or a problem in words. */
  state(word, detail = "") {
    document.getElementById("state").textContent = word === "open" ? "" : detail || word;
    report({ state: word, detail });
  }
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Ask for the cursor of now, until somebody answers. */
async function findCursor(lane) {
  for (;;) {
    try {
      const answer = await fetch(lane.nameless("/polling"));
      if (answer.ok) return (await answer.json()).cursor;
    } catch {
      lane.state("broken");
    }
    await pause(500);
  }
}

async function start() {
  const lane = new Lane();
  const technique = await import(`./${module}.js`).catch(() => null);
  if (!technique) return lane.state("broken"); // the page around loads this one again
  if (slug !== "limits") lane.moveTo(wanted.get("after") || (await findCursor(lane)));
  const connection = technique.open(lane, report);
  addEventListener("message", async (event) => {
    if (event.origin !== pageOrigin || event.source !== page) return;
    const { order, number, ...rest } = event.data;
    if (order === "poll") lane.seconds = rest.seconds;
    else if (order === "send") {
      try {
        await connection.send(rest);
        report({ sent: number });
      } catch (error) {
        report({ sent: number, failed: String(error.message ?? error) });
      }
    } else if (order) connection[order]?.(rest);
  });
  report({ ready: true });
}

start();
