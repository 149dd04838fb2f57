// The page's line to the command that serves it: clock, state, what passed, and the doors.
// It tells when the command is "lost" and "found", and when another one answers, begun "anew".

import { say } from "./i18n.js";
import { ofTab } from "./memory.js";

const KEY = "duplex.key";
const CLOCK_SAMPLES = 7;
const CLOCK_AGAIN_MS = 30000;
const AGAIN_MS = 2000;

export const lines = JSON.parse(document.documentElement.dataset.lines);

/** A name that nobody can guess. */
export const randomName = () => Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) =>
  byte.toString(16).padStart(2, "0")).join("");

class Room extends EventTarget {
  constructor() {
    super();
    this.viewer = randomName(); // whoever knows it can hear what passes on this page's lines
    this.key = ofTab.get(KEY) ?? "";
    this.isLecturer = false;
    this.isLost = false;
    this.startedAt = null; // when the clock was first set
    this.state = null;
    this.offset = 0; // add it to local milliseconds to get the server's
    this.hasClock = false;
    this.plugins = new Map();
    this.opened = new Promise((resolve) => { this.open = resolve; }); // when it hears of news
    this.asked = 0; // plugins that have no number yet
    this.unheard = []; // reports that may be theirs
    this.traces = new Map();
  }

  /**
   * Keep the lecturer's key, if the address brought one, and find out whether it fits: then a
   * "fit" is told, else a "misfit". Where nobody answers it is asked again once somebody does.
   */
  async useKey(key) {
    if (key) {
      this.key = key;
      ofTab.set(KEY, key);
    }
    const tried = this.key;
    if (tried) {
      try {
        await this.control("fits", {}, { viewer: this.viewer }); // a place is kept for it
        if (tried !== this.key) return; // a newer one is on its way
        this.isLecturer = true;
        this.dispatchEvent(new Event("fit"));
      } catch (error) {
        if (tried !== this.key) return;
        if (error.status === 403) {
          this.drop();
          this.dispatchEvent(new Event("misfit"));
        }
      }
    }
    this.dispatchEvent(new Event("role"));
  }

  /** Forget the key: it does not fit. */
  drop() {
    this.key = "";
    ofTab.set(KEY, "");
    this.isLecturer = false;
  }

  /** Local milliseconds, comparable over all frames of the page. */
  now() {
    return performance.timeOrigin + performance.now();
  }

  /** The server's monotonic milliseconds, as far as can be told. */
  serverNow() {
    return this.now() + this.offset;
  }

  /** Compare the clocks: the answer with the shortest way tells best (Cristian, 1989). */
  async setClock() {
    let best = Infinity;
    let offset = this.offset;
    for (let i = 0; i < CLOCK_SAMPLES; i += 1) {
      const before = this.now();
      const answer = await fetch("/lecture/clock");
      if (!answer.ok) throw new Error(answer.statusText);
      const { monotonic_ms: server } = await answer.json();
      const after = this.now();
      if (after - before < best) {
        best = after - before;
        offset = server - (before + after) / 2;
      }
    }
    this.offset = offset;
    this.hasClock = true;
    this.startedAt ??= this.serverNow();
  }

  /** Send an order to a door; throws what the door says against it. */
  async post(door, order = {}, query = {}) {
    const answer = await fetch(`/lecture/${door}?${new URLSearchParams(query)}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Duplex-Key": this.key },
      body: JSON.stringify(order),
    }).catch(() => { throw new Error(say("notice.unreachable")); });
    if (answer.status === 204) return null;
    if (/^(image|application\/octet-stream)/.test(answer.headers.get("Content-Type"))) return answer.blob();
    const told = await answer.json();
    if (!answer.ok) throw Object.assign(new Error(told.detail), { status: answer.status });
    return told;
  }

  /** Send an order that only the lecturer may give. */
  async control(door, order = {}, query = {}) {
    this.take({ state: await this.post(door, order, query) });
  }

  /** Set the clock, as often as it takes, and hear the news from then on. */
  async start() {
    while (!this.hasClock) {
      await this.setClock().catch(() => {
        this.lose();
        return new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      });
    }
    setInterval(() => this.setClock().catch(() => {}), CLOCK_AGAIN_MS);
    this.listen();
    await this.opened;
  }

  /** Hear the news, and come back to them where they break off. */
  listen() {
    this.events = new EventSource(`/lecture/events?viewer=${this.viewer}`);
    this.events.onmessage = ({ data }) => {
      this.open();
      if (this.isLost) this.find();
      this.take(JSON.parse(data));
    };
    this.events.onerror = () => {
      this.lose();
      // It comes back by itself where the line failed, but gives up where an answer was wrong.
      if (this.events.readyState === EventSource.CLOSED) setTimeout(() => this.listen(), AGAIN_MS);
    };
  }

  lose() {
    if (this.isLost) return;
    this.isLost = true;
    for (const news of ["lost", "state"]) this.dispatchEvent(new Event(news));
  }

  find() {
    this.isLost = false;
    this.dispatchEvent(new Event("found"));
    this.setClock().catch(() => {});
    if (!this.isLecturer) this.useKey("");
  }

  /** @param {{ state?: any, trace?: TraceRow[], plugin?: any[], missed?: number }} news */
  take({ state, trace = [], plugin = [], missed = 0 }) {
    if (missed) this.dispatchEvent(new CustomEvent("missed", { detail: { count: missed } }));
    for (const row of trace) this.traces.get(row[0])?.forEach((hear) => hear(row));
    for (const report of plugin) {
      const hear = this.plugins.get(report.plugin);
      if (hear) hear(report);
      else if (this.asked) this.unheard.push(report);
    }
    if (state) {
      const isOther = this.state && this.state.run !== state.run;
      this.state = state;
      if (isOther) this.begin();
      this.dispatchEvent(new Event("state"));
    }
  }

  /** Another command answers: it has another key, and numbers all things anew. */
  begin() {
    const wasLecturer = this.isLecturer;
    this.drop();
    this.dispatchEvent(new Event("role"));
    this.dispatchEvent(new CustomEvent("anew", { detail: { wasLecturer } }));
  }

  /** Hear what passes on a technique's line; returns how to stop. */
  onTrace(slug, hear) {
    if (!this.traces.has(slug)) this.traces.set(slug, new Set());
    this.traces.get(slug).add(hear);
    return () => this.traces.get(slug).delete(hear);
  }

  /**
   * Start an emulated plugin and hear what it reports, all of it: on a busy machine any number of
   * reports overtake the answer that names it. Returns its number.
   */
  async startPlugin(order, hear) {
    this.asked += 1;
    try {
      const { plugin } = await this.post("plugin", order, { viewer: this.viewer });
      this.plugins.set(plugin, hear);
      this.unheard.filter((report) => report.plugin === plugin).forEach(hear);
      this.unheard = this.unheard.filter((report) => report.plugin !== plugin);
      return plugin;
    } finally {
      this.asked -= 1;
      if (!this.asked) this.unheard = [];
    }
  }

  /** Hear no more of an emulated plugin. */
  leavePlugin(number) {
    this.plugins.delete(number);
  }
}

export const room = new Room();
