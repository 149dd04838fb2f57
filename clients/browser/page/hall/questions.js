// What the lecturer may ask the room: predictions and claims, each with the preset that decides it and
// with how the race's lanes tell the answer. Words stand under `q.NAME` and `q.NAME.found`.

import { duration, number, say } from "../i18n.js";
import { room } from "../room.js";

const LEAST = 5; // messages, of which a mean is told
const RIGHT_WRONG = ["asked.right", "asked.wrong"];

/** How late a technique's messages were, in ms; null while too few have come. */
const late = (lane) => (lane.messages.length >= LEAST ? lane.mean() : null);
const cost = ({ track, received }) => (received >= 10 * LEAST ? (track.up + track.down) / received : null);
const both = (one, other, join) => (one === null || other === null ? null : join(one, other));

/** A prediction: the choice that is nearest, by ratio, to what was measured is the one that fits. */
function prediction(preset, choices, write, measure) {
  const far = (choice, value) => Math.abs(Math.log((choice + 0.1) / (Math.max(value, 0) + 0.1)));
  const fits = (value) => choices.reduce((best, choice, i) =>
    (far(choice, value) < far(choices[best], value) ? i : best), 0);
  return { preset, labels: choices.map((choice) => () => write(choice)), write, measure, fits };
}

/** A claim: right where `isRight` says so of what was measured. */
function claim(preset, write, measure, isRight) {
  const labels = RIGHT_WRONG.map((words) => () => say(words));
  return { preset, labels, write, measure, fits: (value) => (isRight(value) ? 0 : 1) };
}

export const QUESTIONS = {
  minute: prediction("minute", [1, 6, 60, 600], number, ({ polling: { track } }) => {
    const minutes = (room.serverNow() - track.since) / 60000;
    return minutes > 0.1 ? track.requests / minutes : null;
  }),
  half: prediction("half", [500, 1000, 1500, 2000], duration, ({ polling }) => late(polling)),
  cut: prediction("cut", [0, 5, 20], number, ({ web_socket: lane }) =>
    (lane.messages.length >= 8 * LEAST ? lane.lost : null)), // some came after the cut
  picture: prediction("picture", [1000, 2000, 4000, 8000], duration, ({ web_socket: { messages } }) =>
    messages.findLast(({ size }) => size > 1e5)?.latency ?? null),
  answer: prediction("answer", [1, 10, 30, 100], number, ({ polling: { track, received } }) =>
    (track.requests > 2 ? received / track.requests : null)),
  busy: claim("busy", (value) => number(value, 2), ({ polling, sse }) =>
    both(cost(polling), cost(sse), (one, other) => one / other), (ratio) => ratio > 1),
  keep: claim("busy", (value) => number(value, 0), ({ long_polling: { track } }) => {
    const connections = new Set(track.events.map(({ connection }) => connection)).size;
    return track.requests > LEAST ? track.requests / Math.max(connections, 1) : null;
  }, (requests) => requests < 1.5),
  push: claim("half", duration, ({ sse, web_socket: socket }) =>
    both(late(sse), late(socket), (one, other) => Math.max(one - other, 0)), (more) => more > 50),
};

export const readQuestion = (name) => (Object.hasOwn(QUESTIONS, name ?? "") ? QUESTIONS[name] : null);

/** Tell what a question's answer is, by these open lanes: `measured` and the choice that `fits`. */
export function answerOf(name, lanes) {
  const { preset, measure, fits } = QUESTIONS[name];
  const isMeasured = lanes.size > 0 && room.state.source.preset === preset;
  const measured = isMeasured ? measure(Object.fromEntries(lanes)) : null;
  return { measured, fits: measured === null ? null : fits(measured) };
}
