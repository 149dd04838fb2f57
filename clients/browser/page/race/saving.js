// Saving a race: as a picture (PNG) of all lanes from its begin to its end, and as a table (CSV) of every
// message on every lane.

import { Painter } from "../diagram.js";
import { bytes, duration, number, say } from "../i18n.js";
import { TECHNIQUES, traceMarker, colorOf } from "../techniques.js";
import { theme } from "../theme.js";
import { figures } from "./recording.js";

const WIDTH = 1600; // pixels of a race in a picture
const [ROW, HEAD, NAMES, NUMBERS, GAP] = [72, 64, 210, 250, 24];
const FIELDS = ["race", "technique", "message", "sent_ms", "published_ms", "arrived_ms", "latency_ms", "bytes"];

function save(blob, name) {
  const address = URL.createObjectURL(blob);
  const link = Object.assign(document.createElement("a"), { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

const nameOf = (races, end) => `duplex-${races.map(({ preset }) => preset || "race").join("-")}.${end}`;
const present = (...races) => races.filter(Boolean);

/** Write the races as a table; times are milliseconds since each race began. */
export function csvOf(races) {
  const lines = [FIELDS.join(",")];
  for (const { preset, from, lanes } of races) {
    for (const { slug, messages } of lanes.values()) {
      for (const { number: place, arrived, published, latency, size } of messages) {
        const times = [arrived - latency - from, published - from, arrived - from, latency];
        lines.push([preset, slug, place, ...times.map((ms) => ms.toFixed(1)), size].join(","));
      }
    }
  }
  return `${lines.join("\r\n")}\r\n`; // RFC 4180
}

export function saveCsv(main, other) {
  const races = present(main, other);
  save(new Blob([csvOf(races)], { type: "text/csv;charset=utf-8" }), nameOf(races, "csv"));
}

/** Draw one race into a picture, `left` pixels from its edge. */
function paint(pen, race, left, look) {
  const span = race.to - race.from;
  pen.fillStyle = look.ink;
  pen.font = "650 22px system-ui, sans-serif";
  pen.textBaseline = "middle";
  const title = race.preset ? say(`preset.${race.preset}`) : say("replay.free");
  pen.fillText(`${title} · ${duration(span)}`, left, HEAD / 2);
  TECHNIQUES.forEach(({ slug, marker }, i) => {
    const lane = race.lanes.get(slug);
    const top = HEAD + i * ROW;
    const mark = new Path2D();
    traceMarker(mark, marker, left + 10, top + ROW / 2, 8);
    pen.fillStyle = colorOf(slug, look.dark);
    pen.fill(mark);
    pen.fillStyle = look.ink;
    pen.textBaseline = "middle";
    pen.font = "600 17px system-ui, sans-serif";
    pen.fillText(say(`technique.${slug}`), left + 28, top + ROW / 2, NAMES - 36);
    if (!lane) return;
    pen.save();
    pen.translate(left + NAMES, top + 4);
    new Painter(pen, WIDTH - NAMES - NUMBERS, ROW - 8, lane).draw(race.to, span, look);
    pen.restore();
    const { mean, messages, requests, up, down } = figures(lane, race.to);
    pen.fillStyle = look.ink;
    pen.textBaseline = "middle";
    pen.font = "650 17px system-ui, sans-serif";
    const right = left + WIDTH - NUMBERS + 16;
    pen.fillText(`${say("race.mean")} ${duration(mean)}`, right, top + ROW / 2 - 13);
    pen.font = "15px system-ui, sans-serif";
    pen.fillText(`${number(messages)} · ${number(requests)} ${say("race.requests")} · ↑ ${bytes(up)} ↓ ${bytes(down)}`,
      right, top + ROW / 2 + 13, NUMBERS - 24);
  });
}

export function savePng(main, other) {
  const races = present(main, other);
  const canvas = document.createElement("canvas");
  canvas.width = races.length * (WIDTH + GAP) + GAP;
  canvas.height = HEAD + TECHNIQUES.length * ROW + GAP;
  const pen = canvas.getContext("2d");
  const look = theme();
  pen.fillStyle = look.paper;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  races.forEach((race, i) => paint(pen, race, GAP + i * (WIDTH + GAP), look));
  canvas.toBlob((blob) => { if (blob) save(blob, nameOf(races, "png")); }, "image/png");
}
