// A track: what passed between one lane and the server, as the relay recorded it.

import { room } from "./room.js";

const KEPT = 3000;
const KEPT_MS = 30000; // three times what a diagram shows
const PAST_MS = 75000; // of what is looked at again: a minute, and what a diagram shows before it
const MOST_PAST = 9000;
const PRUNE_EVERY = 25;
const KEPT_HELD = 600; // long-polls of ten seconds at fifty messages a second, and some
const REQUEST = /^(GET|POST) (\S*)/;
const KEY = /\r\nsec-websocket-key: *(\S+)/i;
const ACCEPT = /\r\nsec-websocket-accept: *(\S+)/i;
const PLUGIN_CHANNEL = /^\{"channel":"([^"]*)"/;

/**
 * One event of a track; times are the server's milliseconds.
 * @param {TraceRow} row
 */
function eventOf([, seq, entered, left, connection, kind, length, data]) {
  return { seq, entered, left, connection, kind, length, data };
}

const light = ({ kind, entered, left, length, connection, request }) =>
  ({ kind, entered, left, length, connection, request: Boolean(request) });

const start = (data, length) => atob(data.slice(0, Math.ceil(length / 3) * 4));

export class Track {
  static isPaused = false;

  /** Follow what passes on `slug`'s line for `channel`. */
  constructor(slug, channel, isStream) {
    this.isStream = isStream;
    this.channel = channel;
    this.path = `/${slug}`;
    this.connections = new Map();
    this.uploads = new Set(); // who hears of each event that goes up
    this.handshake = null; // the last one: its key and accept
    this.reset();
    this.stop = room.onTrace(slug, (row) => this.take(eventOf(row)));
  }

  /** Count from now. */
  reset() {
    this.events = [];
    this.past = []; // what was before them, without its bytes
    // From when to when the server held a request or a stream; those still held stay.
    this.held = (this.held ?? []).filter(({ to }) => to === null);
    this.requests = 0;
    this.up = 0;
    this.down = 0;
    this.since = room.hasClock ? room.serverNow() : 0;
  }

  /** Hear of each event that goes up; returns how to stop. */
  onUp(hear) {
    this.uploads.add(hear);
    return () => this.uploads.delete(hear);
  }

  /** How many connections are open that the technique itself has used. */
  get open() {
    let open = 0;
    for (const one of this.connections.values()) open += one.isUsed && one.channel === this.channel ? 1 : 0;
    return open;
  }

  take(event) {
    const { connection: number, kind } = event;
    if (kind === "open") {
      this.connections.set(number, { channel: null, held: null });
    }
    const connection = this.connections.get(number) ?? { channel: null, held: null };
    if (kind === "up" && event.length) this.read(event, connection);
    this.connections.set(number, connection);
    if (kind === "close" || kind === "refused") {
      this.connections.delete(number);
      if (connection.held) connection.held.to = event.left;
    }
    if (connection.channel !== this.channel && kind !== "refused") return;
    if (kind === "down" && connection.held && !connection.streams && event.length) {
      connection.held.to = event.entered;
      connection.held = null;
    }
    if (connection.key && kind === "down" && !connection.accept) {
      connection.accept = ACCEPT.exec(start(event.data, 2048))?.[1];
      this.handshake = { key: connection.key, accept: connection.accept };
    }
    if (event.left < this.since) return;
    if (kind === "up") this.up += event.length;
    if (kind === "up") this.uploads.forEach((hear) => hear(event));
    if (kind === "down") this.down += event.length;
    this.events.push(event);
    if (this.events.length % PRUNE_EVERY === 0) this.prune(event.left);
  }

  /** Forget what is old; while the race is paused, only what is too much. */
  prune(now) {
    let old = Math.max(this.events.length - KEPT, 0);
    if (!Track.isPaused) while (this.events[old].left < now - KEPT_MS) old += 1;
    for (const event of this.events.splice(0, old)) this.past.push(light(event));
    let gone = Math.max(this.past.length - MOST_PAST, 0);
    while (gone < this.past.length && this.past[gone].left < now - PAST_MS) gone += 1;
    this.past.splice(0, gone);
  }

  /** Return what passed from then on, without its bytes. */
  seen(from) {
    return [...this.past, ...this.events.map(light)].filter(({ left }) => left >= from);
  }

  /** Find out what goes up: a request, or bytes of something that is under way. */
  read(event, connection) {
    const head = start(event.data, 600);
    const request = REQUEST.exec(head);
    if (request) {
      const query = new URLSearchParams(request[2].split("?")[1]);
      const form = /[\r\n&]channel=([^&\s]+)/.exec(head);
      connection.channel = query.get("channel") ?? form?.[1] ?? connection.channel;
      event.request = `${request[1]} ${request[2]}`;
      event.path = request[2].split("?")[0];
      connection.streams = this.isStream && event.path === this.path;
      connection.key = KEY.exec(start(event.data, 2048))?.[1];
      connection.isUsed ||= event.path.startsWith(this.path) || event.path === "/publish";
    } else {
      const plugin = PLUGIN_CHANNEL.exec(head);
      if (!plugin) return;
      connection.channel = plugin[1];
      connection.streams = connection.isUsed = true;
    }
    if (connection.channel !== this.channel) return;
    if (event.request && event.left >= this.since) this.requests += 1;
    if (connection.held) connection.held.to = event.left;
    connection.held = { from: event.left, to: null };
    this.held.push(connection.held);
    if (this.held.length > KEPT_HELD) this.held.splice(0, KEPT_HELD / 10);
  }
}
