// Lanes as the lecture page sees them: a frame for each technique, loaded through its line, and what
// it reports. The plugin has no frame; it is emulated beside the page.

import { say } from "./i18n.js";
import { lines, room } from "./room.js";
import { technique } from "./techniques.js";
import { Track } from "./track.js";

const KEPT = 3600; // a minute of fifty a second, and some
export const RECENT_MS = 30000;
const KEPT_WORDS = 160;
// What lanes say against sending, in words of the language in use; all else was said by the server.
const FAULTS = { "no answer": "lane.no-answer", "not connected": "lane.not-connected" };
const PATIENCE_MS = 8000;
let orders = 0;

/**
 * Load a lane's page in `frame`, and again where the broken network kept it from getting ready;
 * returns how to stop.
 */
export function keepLoading(frame, address, isReady) {
  frame.src = address;
  const watch = setInterval(() => { if (!isReady()) frame.src = address; }, PATIENCE_MS);
  return () => clearInterval(watch);
}

export class Lane extends EventTarget {
  /**
   * Open a lane on a channel. `holder` takes its frame; `brief` leaves bodies out of reports, `show`
   * lets the frame list its messages.
   */
  constructor(slug, { channel, holder, name = "", brief = false, show = false, poll = 1 }) {
    super();
    this.slug = slug;
    this.channel = channel;
    this.holder = holder;
    this.name = name;
    this.brief = brief;
    this.show = show;
    this.poll = poll;
    this.track = new Track(slug, channel, technique(slug).delivery === "stream");
    this.status = "waiting";
    this.pending = new Map();
    this.unheard = []; // what was sent on a connection that answers nothing, and has not come back
    this.ready = new Promise((resolve) => { this.becomeReady = resolve; });
    this.reset();
    this.hear = this.hear.bind(this);
    this.renew = this.renew.bind(this);
    this.lose = this.lose.bind(this);
    this.reopen = this.reopen.bind(this);
    room.addEventListener("anew", this.renew);
    room.addEventListener("lost", this.lose);
    room.addEventListener("found", this.reopen);
    if (technique(slug).own_port) this.openPlugin();
    else this.openFrame();
  }

  /** Count from now, and only what comes after the source's message `from`. */
  reset(from = 0) {
    this.from = from;
    this.words = ""; // the end of what short messages say
    this.messages = []; // the last ones, with `latency` in ms
    this.received = 0;
    this.lost = 0;
    this.repeated = 0;
    this.gaps = 0;
    this.newest = 0; // number of the source's newest message that has come
    this.track.reset();
  }

  openFrame() {
    this.origin = `${location.protocol}//${location.hostname}:${lines[this.slug]}`;
    const query = new URLSearchParams({ technique: this.slug, channel: this.channel });
    query.set("viewer", room.viewer);
    query.set("poll", String(this.poll));
    if (this.name) query.set("name", this.name);
    if (this.brief) query.set("brief", "1");
    if (this.show) query.set("show", "1");
    this.address = `${this.origin}/lane?${query}`;
    this.frame = document.createElement("iframe");
    this.frame.title = `${this.slug} (${this.channel})`;
    if (!this.show) this.frame.tabIndex = -1;
    addEventListener("message", this.hear);
    this.stopLoading = keepLoading(this.frame, this.address, () => this.isReady);
    this.holder.append(this.frame);
  }

  hear(event) {
    if (event.origin !== this.origin || event.source !== this.frame.contentWindow) return;
    this.take(event.data);
  }

  /** Another command answers: its messages and connections are numbered anew. */
  renew() {
    this.track.connections.clear();
    this.track.held = [];
    this.reset();
    if (!this.frame) return; // a plugin hears of the gap by its cursor
    this.take({ gap: true });
    this.isReady = false;
    this.status = "waiting";
    this.drop(say(FAULTS["no answer"]));
    this.frame.src = this.address;
  }

  /** The plugin ends with the event stream. */
  lose() {
    if (!this.frame) this.take({ state: "broken" });
  }

  /** Go on with another plugin, from where the last one was. */
  reopen() {
    if (this.frame || this.isOpening || this.isClosed) return;
    const cursor = this.connection?.cursor();
    this.connection?.stop();
    this.connection = null;
    this.openPlugin(cursor);
  }

  async openPlugin(cursor = "") {
    this.isOpening = true;
    try {
      const { channel, name, brief } = this;
      const wanted = { channel, name, brief, cursor };
      const plugin = await import(`./${this.slug}.js`);
      const connection = await plugin.open(room, wanted, (news) => this.take(news));
      if (this.isClosed) connection.close();
      else this.connection = connection;
    } catch (error) {
      this.take({ state: "problem", detail: error.message });
      // A whole room may have asked at once: not in step again.
      if (error.status === 429) setTimeout(() => this.reopen(), 1000 + 2000 * Math.random());
    } finally {
      this.isOpening = false;
    }
  }

  /** Hear what becomes of it, and the messages. */
  onNews(hear) {
    this.addEventListener("news", (/** @type {CustomEvent<News>} */ { detail }) => hear(detail));
  }

  /** @param {News} news */
  take({ ready, state, detail, messages = [], gap, sent, failed, limits }) {
    if (ready) {
      this.isReady = true;
      this.becomeReady();
      this.order({ order: "poll", seconds: this.poll });
      if (this.received === 0) this.track.reset();
    }
    if (state) this.status = state;
    if (state === "open") this.becomeReady();
    if (state === "broken") this.giveUp();
    if (state === "problem") this.unheard.shift()?.reject(new Error(detail));
    if (gap) this.gaps += 1;
    for (const message of messages) this.count(message);
    if (sent !== undefined) {
      const [resolve, reject] = this.pending.get(sent) ?? [() => {}, () => {}];
      this.pending.delete(sent);
      if (failed === undefined) resolve();
      else reject(new Error(FAULTS[failed] ? say(FAULTS[failed]) : failed));
    }
    const detailOf = { state, detail, messages, gap, limits };
    this.dispatchEvent(new CustomEvent("news", { detail: detailOf }));
  }

  /** @param {Message} message */
  count(message) {
    if (message.presence) return; // a notice, whose words are a stranger's name
    this.recognize(message);
    const number = Number(/^source (\d+)$/.exec(message.sender)?.[1] ?? 0);
    if (number && number <= this.from) return;
    message.arrived = message.at + room.offset;
    message.published = message.published_ns / 1e6;
    message.latency = message.arrived - message.sent_ns / 1e6;
    this.received += 1;
    if (message.text) this.words = (this.words + message.text).slice(-KEPT_WORDS);
    if (number) {
      if (this.newest && number > this.newest + 1) this.lost += number - this.newest - 1;
      if (number <= this.newest) this.repeated += 1;
      this.newest = Math.max(this.newest, number);
    }
    // Bodies stay with whoever shows them.
    const { arrived, published, latency, size } = message;
    this.messages.push({ arrived, published, latency, size, number });
    if (this.messages.length > KEPT) this.messages.splice(0, KEPT / 10);
  }

  /** Mean latency in ms of what arrived in the last half minute, or null. */
  mean() {
    const since = room.serverNow() - RECENT_MS;
    let sum = 0;
    let count = 0;
    for (let i = this.messages.length - 1; i >= 0 && this.messages[i].arrived > since; i -= 1) {
      sum += this.messages[i].latency;
      count += 1;
    }
    return count ? sum / count : null;
  }

  /**
   * Send text, or bytes; resolves when the server has it, rejects with what was wrong. Requests are
   * answered; what goes up beside what comes down is known to have arrived when it comes back.
   */
  async send({ text, bytes }) {
    const message = { text, bytes, sent_ns: Math.round(room.serverNow() * 1e6) };
    if (!technique(this.slug).two_way) return this.pass(message);
    const { promise, resolve, reject } = Promise.withResolvers();
    const entry = { sent_ns: message.sent_ns, size: bytes?.length, resolve, reject };
    this.unheard.push(entry);
    promise.catch(() => {}); // it may be cut before it has gone
    try {
      await this.pass(message);
    } catch (error) {
      this.unheard = this.unheard.filter((one) => one !== entry);
      throw error;
    }
    return promise;
  }

  /**
   * Know a message of ours that came back; bytes on a WebSocket have no time of their own.
   * @param {Message} message
   */
  recognize({ sender, sent_ns, size }) {
    if (!this.unheard.length || sender !== this.name) return;
    const at = this.unheard.findIndex((one) => one.sent_ns === sent_ns || one.size === size);
    if (at >= 0) this.unheard.splice(at, 1)[0].resolve();
  }

  /** The line was cut: nobody knows what became of what was under way. */
  giveUp() {
    for (const { reject } of this.unheard) reject(new Error(say("lane.cut")));
    this.unheard = [];
  }

  /** Its frame goes: it will not tell any more what became of what it was to send. */
  drop(why) {
    for (const [, reject] of this.pending.values()) reject(new Error(why));
    this.pending.clear();
  }

  /** Hand a message to what sends it. */
  pass(message) {
    if (!this.frame) {
      if (!this.connection) return Promise.reject(new Error(say("lane.not-connected")));
      return this.connection.send(message);
    }
    if (!this.isReady) return Promise.reject(new Error(say("lane.not-connected")));
    const number = (orders += 1);
    return new Promise((resolve, reject) => {
      this.pending.set(number, [resolve, reject]);
      this.order({ order: "send", number, ...message });
    });
  }

  /** Give the frame an order. */
  order(order) {
    if (this.isReady) this.frame.contentWindow.postMessage(order, this.origin);
  }

  /** Change how often a technique asks that asks on a timer. */
  setPoll(seconds) {
    this.poll = seconds;
    this.order({ order: "poll", seconds });
  }

  close() {
    this.isClosed = true;
    this.giveUp();
    this.drop(say("lane.cut"));
    this.stopLoading?.();
    removeEventListener("message", this.hear);
    room.removeEventListener("anew", this.renew);
    room.removeEventListener("lost", this.lose);
    room.removeEventListener("found", this.reopen);
    this.connection?.close();
    this.frame?.remove();
    this.track.stop();
  }
}
