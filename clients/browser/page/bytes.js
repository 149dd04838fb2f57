// Taking bytes apart: HTTP heads, chunks, events, scripts, JSON lines, WebSocket frames. Each piece is
// {from, to, kind, words, values}: where it stands, its colour, and what it is in words.

import { technique } from "./techniques.js";

const OPCODES = { 0: "continuation", 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong" };
const LF = 10;
const CR = 13;

const textOf = (data, from, to) => new TextDecoder().decode(data.subarray(from, to));

function find(data, byte, from) {
  const at = data.indexOf(byte, from);
  return at < 0 ? data.length : at;
}

/** @typedef {{ from: number, to: number, kind: string, words: string, values?: object }} Piece */

/** Take a head apart: first line, fields, and the empty line that ends it. */
function head(data, pieces) {
  let at = 0;
  let isFirst = true;
  while (at < data.length) {
    const end = Math.min(find(data, LF, at) + 1, data.length);
    const line = textOf(data, at, end).trimEnd();
    if (!line) {
      pieces.push({ from: at, to: end, kind: "end", words: "wire.head-end" });
      return end;
    }
    pieces.push({ from: at, to: end, kind: isFirst ? "start" : "field",
      words: isFirst ? "wire.start" : "wire.field", values: { line } });
    isFirst = false;
    at = end;
  }
  return at;
}

/** Write a byte's bits in groups: so many in each. */
function bitsOf(byte, groups) {
  const bits = byte.toString(2).padStart(8, "0");
  let at = 0;
  return groups.map((size) => bits.slice(at, (at += size))).join(" ");
}

/** Take one WebSocket frame apart, bit by bit (RFC 6455, 5.2). */
export function frame(data, at, available, pieces) {
  if (available - at < 2) return available;
  const [first, second] = [data[at], data[at + 1]];
  const opcode = first & 15;
  const isMasked = second >> 7 === 1;
  let length = second & 127;
  let next = at + 2;
  pieces.push({ from: at, to: at + 1, kind: "start", words: "wire.frame-first",
    values: { bits: bitsOf(first, [1, 3, 4]), fin: first >> 7, rsv: (first >> 4) & 7,
      opcode, name: OPCODES[opcode] ?? "?" } });
  pieces.push({ from: at + 1, to: next, kind: "field", words: "wire.frame-second",
    values: { bits: bitsOf(second, [1, 7]), mask: second >> 7, length } });
  if (length > 125) {
    const size = length === 126 ? 2 : 8;
    length = 0;
    for (let i = 0; i < size; i += 1) length = length * 256 + (data[next + i] ?? 0);
    const piece = { from: next, to: next + size, kind: "field" };
    pieces.push({ ...piece, words: "wire.frame-length", values: { length } });
    next += size;
  }
  let key = null;
  if (isMasked) {
    key = data.subarray(next, next + 4);
    pieces.push({ from: next, to: next + 4, kind: "key", words: "wire.frame-key",
      values: { key: [...key].map((byte) => byte.toString(16).padStart(2, "0")).join(" ") } });
    next += 4;
  }
  const payload = data.slice(next, Math.min(next + length, data.length));
  if (key) payload.forEach((byte, i) => { payload[i] = byte ^ key[i % 4]; });
  if (payload.length) {
    const isText = opcode === 1;
    pieces.push({ from: next, to: next + payload.length, kind: "body",
      words: isMasked ? "wire.frame-masked" : "wire.frame-payload",
      values: { length, text: isText ? new TextDecoder().decode(payload) : printable(payload) } });
  }
  return next + length;
}

const printable = (data) => [...data.subarray(0, 400)]
  .map((byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : "·")).join("");

function events(data, from, to, pieces) {
  for (let at = from; at < to;) {
    const end = Math.min(find(data, LF, at) + 1, to);
    const line = textOf(data, at, end).trimEnd();
    const name = line.startsWith(":") ? "comment" : line ? line.split(":")[0] : "dispatch";
    const kind = line ? "field" : "end";
    pieces.push({ from: at, to: end, kind, words: `wire.sse-${name}`, values: { line } });
    at = end;
  }
}

/** Take a body apart by what it is. */
function content(data, from, to, codec, pieces) {
  if (from >= to) return;
  if (codec === "event_stream") events(data, from, to, pieces);
  else {
    const words = codec === "script_stream" ? "wire.script" : "wire.body";
    pieces.push({ from, to, kind: "body", words, values: { text: textOf(data, from, to) } });
  }
}

function chunks(data, at, codec, pieces) {
  while (at < data.length) {
    const end = Math.min(find(data, LF, at) + 1, data.length);
    const size = parseInt(textOf(data, at, end), 16);
    if (Number.isNaN(size)) {
      content(data, at, data.length, codec, pieces);
      return;
    }
    pieces.push({ from: at, to: end, kind: "start", words: "wire.chunk", values: { size } });
    const stop = Math.min(end + size, data.length);
    content(data, end, stop, codec, pieces);
    at = stop;
    if (data[at] === CR) {
      pieces.push({ from: at, to: Math.min(at + 2, data.length), kind: "end", words: "wire.chunk-end" });
      at += 2;
    }
  }
}

/**
 * Take one event of a track apart. `skip` is what is left of a frame that began before.
 * @returns {Piece[]}
 */
export function takeApart(data, slug, kind, isUpgraded, skip = 0) {
  const { codec, delivery } = technique(slug);
  const pieces = [];
  const start = textOf(data, 0, 8);
  if (/^(GET |POST |HTTP\/)/.test(start)) {
    const end = head(data, pieces);
    const isChunked = /transfer-encoding: *chunked/i.test(textOf(data, 0, end));
    const isSwitch = start === "HTTP/1.1" && textOf(data, 9, 12) === "101";
    if (isChunked) chunks(data, end, codec, pieces);
    else if (isSwitch) frames(data, end, pieces);
    else content(data, end, data.length, "", pieces);
  } else if (isUpgraded) {
    if (skip) pieces.push({ from: 0, to: Math.min(skip, data.length), kind: "body", words: "wire.more" });
    frames(data, skip, pieces);
  } else if (codec === "json_lines") {
    lines(data, pieces);
  } else if (kind === "down" && delivery === "stream") {
    chunks(data, 0, codec, pieces);
  } else {
    content(data, 0, data.length, "", pieces);
  }
  return pieces;
}

function frames(data, at, pieces) {
  while (at < data.length) at = frame(data, at, data.length, pieces);
}

function lines(data, pieces) {
  for (let at = 0; at < data.length;) {
    const end = find(data, 0, at);
    if (end > at) {
      const values = { text: textOf(data, at, end) };
      pieces.push({ from: at, to: end, kind: "body", words: "wire.body", values });
    }
    if (end < data.length) pieces.push({ from: end, to: end + 1, kind: "end", words: "wire.nul" });
    at = end + 1;
  }
}

/** Return the length of what a frame still owes after `data`, of which `whole` bytes passed. */
export function owed(data, whole, skip) {
  let at = skip;
  while (at < data.length) {
    const next = frame(data, at, data.length, []);
    if (next <= at) break;
    at = next;
  }
  return Math.max(at - whole, 0);
}
