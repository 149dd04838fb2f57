// Recordings: what happened on all lanes in the last minute of a race, to be looked at again. They are
// light: when something passed and how long it was, but no bytes and no words.

import { RECENT_MS } from "../lanes.js";

export const MOST_MS = 60000;
const MOST_KEPT = 4;

/** The races that went before on this page, by their preset's name, the newest last. */
export const shelf = new Map();

/** Record what `lanes` know of the time from `began`, or of the last minute, until `to`. */
export function record(lanes, began, to, preset) {
  const from = Math.max(began, to - MOST_MS);
  const recorded = new Map([...lanes].map(([slug, lane]) => {
    const { track } = lane;
    return [slug, {
      slug,
      messages: lane.messages.filter(({ arrived }) => arrived >= from && arrived <= to),
      track: {
        events: track.seen(from),
        held: track.held.filter((one) => (one.to ?? to) >= from)
          .map((one) => ({ from: one.from, to: one.to ?? to })),
      },
    }];
  }));
  return { preset, from, to, lanes: recorded };
}

/** Keep a recording, so that another race can be put beside it. */
export function keep(recording) {
  shelf.delete(recording.preset);
  shelf.set(recording.preset, recording);
  if (shelf.size > MOST_KEPT) shelf.delete(shelf.keys().next().value);
}

/** Count what one recorded lane had had by the time `now`. */
export function figures({ messages, track }, now) {
  let last = null;
  let [count, lost, newest, sum, recent] = [0, 0, 0, 0, 0];
  for (const message of messages) {
    if (message.arrived > now) break;
    last = message;
    count += 1;
    if (newest && message.number > newest + 1) lost += message.number - newest - 1;
    newest = Math.max(newest, message.number);
    if (message.arrived > now - RECENT_MS) {
      sum += message.latency;
      recent += 1;
    }
  }
  let [requests, up, down] = [0, 0, 0];
  for (const { left, kind, length, request } of track.events) {
    if (left > now) break;
    if (request) requests += 1;
    if (kind === "up") up += length;
    if (kind === "down") down += length;
  }
  return { age: last?.latency ?? null, mean: recent ? sum / recent : null, messages: count, lost, requests, up, down };
}

/** Find when the next thing happened after `now` on any lane; null where nothing did. */
export function nextAfter({ lanes, to }, now) {
  let next = Infinity;
  for (const { track } of lanes.values()) {
    const event = track.events.find(({ left }) => left > now + 0.01);
    if (event) next = Math.min(next, event.left);
  }
  return next <= to ? next : null;
}
