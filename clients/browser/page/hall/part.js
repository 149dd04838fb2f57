// Taking part: this page subscribes to the race by one technique, and reports what it measured. Who does
// so is a secret that the browser keeps, so that a reload is the same person; the room sees a number.

import { Lane } from "../lanes.js";
import { ofBrowser } from "../memory.js";
import { randomName, room } from "../room.js";
import { SLUGS } from "../techniques.js";

const WHO = "duplex.who";
const TECHNIQUE = "duplex.part";
const REPORT_MS = 2000;
const MOST_AT_ONCE = 1000;
export const BINS = 40; // classes of latencies, ten for each power of ten, from 1 ms on

const classOf = (ms) => Math.min(Math.max(Math.floor(10 * Math.log10(Math.max(ms, 1))), 0), BINS - 1);

/** Return this browser's own secret. */
export function who() {
  const kept = ofBrowser.get(WHO);
  if (/^[a-z0-9]{16}$/.test(kept ?? "")) return kept;
  const made = randomName();
  ofBrowser.set(WHO, made);
  return made;
}

class Part extends EventTarget {
  constructor() {
    super();
    this.technique = null;
    this.number = 0;
    this.lane = null;
    this.timer = 0;
    this.begin();
    this.follow = this.follow.bind(this);
    this.join = this.join.bind(this);
    room.addEventListener("state", this.follow);
    for (const news of ["found", "anew"]) room.addEventListener(news, () => this.technique && this.join().catch(() => {}));
    if (SLUGS.includes(ofBrowser.get(TECHNIQUE))) this.wished = ofBrowser.get(TECHNIQUE);
  }

  begin() {
    this.counts = {};
    this.counted = this.sum = this.received = this.lostBefore = 0;
    this.recent = []; // latencies in ms, the last ones
  }

  /** Take part by a technique. Throws what the door says against it. */
  async take(technique) {
    this.wished = technique;
    this.technique = technique;
    ofBrowser.set(TECHNIQUE, technique);
    this.lane?.close();
    this.lane = null;
    this.begin();
    try {
      await this.join();
    } catch (error) {
      this.technique = null;
      this.dispatchEvent(new Event("change"));
      throw error;
    }
    this.follow();
    clearInterval(this.timer);
    // Not all pages in step.
    this.timer = setInterval(() => this.report(), REPORT_MS + 500 * Math.random());
    this.dispatchEvent(new Event("change"));
  }

  async join() {
    await room.opened;
    const order = { who: who(), technique: this.technique };
    const told = await room.post("part", order, { viewer: room.viewer });
    this.number = told.number;
  }

  async leave() {
    clearInterval(this.timer);
    this.lane?.close();
    this.lane = null;
    this.technique = null;
    this.dispatchEvent(new Event("change"));
    await room.post("part", { who: who(), technique: null }, { viewer: room.viewer });
  }

  /** Be where the race is: each preset has a channel of its own. */
  follow() {
    const channel = room.state?.source.channel;
    if (!this.technique || !channel || this.lane?.channel === channel) return;
    this.lostBefore += this.lane?.lost ?? 0;
    this.lane?.close();
    const holder = document.getElementById("dock");
    this.lane = new Lane(this.technique, { channel, holder, brief: true });
    this.lane.onNews(({ messages }) => this.hear(messages));
  }

  hear(messages) {
    for (const { latency } of messages) {
      if (latency === undefined || this.counted >= MOST_AT_ONCE) continue;
      const ms = Math.max(latency, 0);
      const bin = classOf(ms);
      this.counts[bin] = (this.counts[bin] ?? 0) + 1;
      this.counted += 1;
      this.sum += ms;
      this.received += 1;
      this.recent.push(ms);
      if (this.recent.length > 100) this.recent.shift();
    }
    if (messages.length) this.dispatchEvent(new Event("heard"));
  }

  get lost() {
    return this.lostBefore + (this.lane?.lost ?? 0);
  }

  get state() {
    const status = this.lane?.status ?? "waiting";
    return status === "problem" ? "broken" : status;
  }

  async report() {
    if (!this.technique || room.isLost) return;
    const { counts, counted, sum } = this;
    const order = { state: this.state, lost: this.lost, counts, sum_ms: Math.min(sum, counted * 6e5) };
    Object.assign(this, { counts: {}, counted: 0, sum: 0 });
    try {
      await room.post("measured", order, { viewer: room.viewer });
    } catch (error) {
      if (error.status === 409) this.join().catch(() => {}); // it was forgotten, or speaks elsewhere
      if (error.status !== 429) return;
      for (const [bin, count] of Object.entries(counts)) this.counts[bin] = (this.counts[bin] ?? 0) + count;
      this.counted += counted;
      this.sum += sum;
    }
  }
}

export const part = new Part();
