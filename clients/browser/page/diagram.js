// The scrolling sequence diagram of one lane: time runs to the right, the server is above, the browser
// below. Arrows are what the relay recorded; marks are messages, joined to when they were published.

import { duration } from "./i18n.js";
import { colorOf, technique, traceMarker } from "./techniques.js";

const PAD = 9;
const MARK = 4.5;
const LABEL_SPACE = 54;
const TYPE = 17; // the page's type, in pixels, that all these sizes go with

/** Find the first of sorted `list` whose `key` is not before `time`. */
function firstFrom(list, key, time) {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle][key] < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Draws a lane on a part of a canvas that begins where its pen stands. */
export class Painter {
  constructor(context, width, height, lane) {
    this.context = context;
    this.width = width;
    this.height = height;
    this.lane = lane;
  }

  /** Draw the `span` milliseconds that end at `now`, in the colours of `theme`. */
  draw(now, span, theme) {
    const { context: pen, width, height, lane } = this;
    if (!width || !lane) return;
    const top = PAD;
    const bottom = height - PAD;
    const from = now - span;
    const x = (time) => ((time - from) / span) * width;
    const color = colorOf(lane.slug, theme.dark);
    this.drawHeld(pen, x, from, now, top, theme);
    this.drawLives(pen, top, bottom, theme);
    this.drawArrows(pen, x, from - span, now, top, bottom, color, theme);
    this.drawMessages(pen, x, from, now, top, bottom, color, theme);
  }

  drawLives(pen, top, bottom, theme) {
    pen.strokeStyle = theme.faint;
    pen.lineWidth = 1;
    pen.beginPath();
    for (const y of [top, bottom]) {
      pen.moveTo(0, y);
      pen.lineTo(this.width, y);
    }
    pen.stroke();
  }

  /** Where the server holds a request or a stream open, its line is thick. */
  drawHeld(pen, x, from, now, top, theme) {
    pen.fillStyle = theme.held;
    for (const held of this.lane.track.held) {
      const to = held.to ?? now;
      if (to < from || held.from > now) continue;
      const left = Math.max(x(held.from), 0);
      pen.fillRect(left, top - 4, Math.max(x(Math.min(to, now)) - left, 1), 8);
    }
  }

  drawArrows(pen, x, from, now, top, bottom, color, theme) {
    const { events } = this.lane.track;
    const ups = new Path2D();
    const downs = new Path2D();
    const heads = new Path2D();
    const breaks = new Path2D();
    let lastUp = -9;
    let lastDown = -9;
    for (let i = firstFrom(events, "left", from); i < events.length; i += 1) {
      const { kind, entered, left, length } = events[i];
      if (entered > now) continue;
      const [a, b] = [x(entered), x(Math.min(left, now))];
      const part = left > now ? (now - entered) / (left - entered) : 1;
      if (kind === "up" && length && Math.abs(b - lastUp) >= 2) {
        ups.moveTo(a, bottom);
        ups.lineTo(b, bottom + (top - bottom) * part);
        lastUp = b;
      } else if (kind === "down" && length && Math.abs(b - lastDown) >= 2) {
        const y = top + (bottom - top) * part;
        downs.moveTo(a, top);
        downs.lineTo(b, y);
        if (part === 1) {
          heads.moveTo(b - 3, y - 6);
          heads.lineTo(b, y);
          heads.lineTo(b + 3, y - 6);
        }
        lastDown = b;
      } else if (kind === "close" || kind === "refused") {
        const y = (top + bottom) / 2;
        breaks.moveTo(b - 4, y - 4);
        breaks.lineTo(b + 4, y + 4);
        breaks.moveTo(b + 4, y - 4);
        breaks.lineTo(b - 4, y + 4);
      }
    }
    pen.lineWidth = 1;
    pen.strokeStyle = theme.request;
    pen.setLineDash([4, 3]);
    pen.stroke(ups);
    pen.setLineDash([]);
    pen.lineWidth = 1.25;
    pen.strokeStyle = color;
    pen.stroke(downs);
    pen.stroke(heads);
    pen.strokeStyle = theme.warning;
    pen.lineWidth = 2;
    pen.stroke(breaks);
  }

  drawMessages(pen, x, from, now, top, bottom, color, theme) {
    const { messages, slug } = this.lane;
    const { marker } = technique(slug);
    const born = new Path2D();
    const waits = new Path2D();
    const arrived = new Path2D();
    const labels = [];
    let last = -LABEL_SPACE;
    let lastMark = -9;
    let lastBorn = -9;
    for (let i = firstFrom(messages, "arrived", from); i < messages.length; i += 1) {
      const message = messages[i];
      if (message.arrived > now) break;
      const at = x(message.arrived);
      const sent = x(message.arrived - message.latency);
      if (Math.abs(at - lastMark) >= 2.5) {
        waits.moveTo(sent, top);
        waits.lineTo(at, bottom);
        traceMarker(arrived, marker, at, bottom, MARK);
        lastMark = at;
      }
      if (Math.abs(sent - lastBorn) >= 2) {
        born.rect(sent - 1.5, top - 1.5, 3, 3);
        lastBorn = sent;
      }
      const left = Math.min(Math.max(at - 14, 0), this.width - 48);
      if (left - last >= LABEL_SPACE && this.width - at > 4) {
        labels.push([left, message.latency]);
        last = left;
      }
    }
    pen.globalAlpha = 0.35;
    pen.strokeStyle = color;
    pen.lineWidth = 3;
    pen.stroke(waits);
    pen.globalAlpha = 1;
    pen.fillStyle = theme.ink;
    pen.fill(born);
    pen.fillStyle = color;
    pen.fill(arrived);
    pen.font = theme.font;
    pen.textBaseline = "bottom";
    pen.fillStyle = theme.ink;
    pen.strokeStyle = theme.paper;
    pen.lineWidth = 3;
    for (const [left, latency] of labels) {
      const text = duration(latency);
      pen.strokeText(text, left, bottom - 6);
      pen.fillText(text, left, bottom - 6);
    }
  }
}

/** Draws a lane on a canvas of its own, as large as that is. */
export class Diagram extends Painter {
  constructor(canvas, lane) {
    super(canvas.getContext("2d"), 0, 0, lane);
    this.canvas = canvas;
    this.drawn = null; // what was drawn last
    this.observer = new ResizeObserver(() => this.fit());
    this.observer.observe(canvas);
  }

  fit() {
    const { width, height } = this.canvas.getBoundingClientRect();
    const ratio = Math.min(devicePixelRatio, 2);
    // Where the page's type is large, the diagram's type, lines and marks are.
    const type = parseFloat(getComputedStyle(document.documentElement).fontSize) / TYPE;
    this.width = width / type;
    this.height = height / type;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.context.setTransform(ratio * type, 0, 0, ratio * type, 0, 0);
    if (this.drawn) this.draw(...this.drawn); // it is empty now, and its next turn may take a second
  }

  /** Draw as any painter does, and know it again. */
  draw(now, span, theme) {
    this.drawn = [now, span, theme];
    this.context.clearRect(0, 0, this.width, this.height);
    super.draw(now, span, theme);
  }

  close() {
    this.observer.disconnect();
  }
}
