// The line, as everybody's pages see it: what it is like stands in the head of every view, and the
// lecturer frees it there by one click. What one view left behind is no riddle in the next.

import { attempt, el, setText } from "./dom.js";
import { duration, number, say } from "./i18n.js";
import { room } from "./room.js";

const FREE = { delay_s: 0, bytes_per_s: null, stalled: false };
const ALONE = { count: 1, common: false };

/** Write a line's bandwidth. */
export const speed = (value) => (value === null ? say("control.free") : `${number(value / 1000)} kB/s`);

/** Return a word for how the network stands: whole, or what ails it. */
export function standing() {
  const { ready, link } = room.state;
  if (room.isLost) return "lost";
  if (!ready) return "restarting";
  if (link.down) return "cut";
  return link.stalled ? "frozen" : "whole";
}

/** Heal the line and take all slowness from it; one worker serves, or as many as are wanted. */
export async function free(workers = ALONE) {
  if (room.state.link.down) await room.control("cut", { seconds: 0 }); // heals at once
  await room.control("link", FREE);
  await room.control("workers", workers); // nothing happens where they are so already
}

/** Show in `chip` what the line is like; hidden while it is as good as none. */
export function showLine(chip) {
  const told = el("span", {});
  const button = el("button", { type: "button", say: "line.free", on: { click: () => attempt(free) } });
  chip.append(told, " ", button);
  const fill = () => {
    if (!room.state) return;
    const { delay_s: delay, bytes_per_s: rate } = room.state.link;
    const word = standing();
    const parts = word === "whole" ? [] : [say(`network.${word}`)];
    if (delay) parts.push(say("line.delay", { delay: duration(delay * 1000) }));
    const { count, common } = room.state.workers;
    if (count > 1) parts.push(say(common ? "line.together" : "line.apart", { count }));
    if (rate !== null) parts.push(say("line.speed", { speed: speed(rate) }));
    chip.hidden = !parts.length;
    setText(told, parts.map((part) => part.replace(/(\d) /g, "$1\u00a0")).join(" · ")); // 100 kB/s is one word
    button.hidden = !room.isLecturer || room.isLost || word === "restarting";
  };
  for (const news of ["state", "role"]) room.addEventListener(news, fill);
  addEventListener("language", fill);
  fill();
}
