// The tour: the lecturer goes through the script by one key, and all that shows goes along. Where the
// lecturer is stands in everybody's state; a screen for the projector follows it, others are told.

import { attempt, el, setText } from "../dom.js";
import { say } from "../i18n.js";
import { ofTab } from "../memory.js";
import { room } from "../room.js";
import { STEPS, titleOf } from "./steps.js";

const SCREEN = "duplex.screen";
const AT = /^[a-z]{1,12}(\?[a-z]{1,12}=[a-z_]{1,20})?$/;

let followed = null; // the step that this page has taken
let shownAt = "";

export const isScreen = () => document.documentElement.classList.contains("is-screen");
const isSpeaker = () => location.hash.startsWith("#speaker");
export const stepNow = () => room.state?.tour.step ?? null;

/** Be a window for the projector (`screen=1`): nothing to press, and always where the lecturer is. */
export function becomeScreen(asked) {
  if (asked !== null) ofTab.set(SCREEN, asked === "1" ? "1" : "");
  document.documentElement.classList.toggle("is-screen", Boolean(ofTab.get(SCREEN)));
}

/** Show a view, and play its preset; the speaker's page stays, and lets the others show it. */
export async function perform(at) {
  if (!isSpeaker()) {
    location.hash = at;
    return;
  }
  const preset = new URLSearchParams(at.split("?")[1]).get("preset");
  await attempt(() => room.control("go", { at }));
  if (!preset) return;
  await attempt(async () => {
    const race = await import("../view_race.js");
    race.openLanes();
    await race.play(preset);
  });
}

/** Go to a step of the script; beyond its ends, or `null`, the tour is over. */
export async function go(step) {
  const target = STEPS[step];
  followed = target ? step : null;
  const order = target ? { at: target.at, step } : { step: null };
  const here = location.hash;
  if (!(await attempt(() => room.control("go", order))) || !target) return;
  if (location.hash === here) await perform(target.at); // else another view was chosen meanwhile
}

export const next = () => go((stepNow() ?? -1) + 1);
export const back = () => go(Math.max((stepNow() ?? 0) - 1, 0));

/** Tell all where this lecturer's page is now. */
export function tellWhere(name, parameters) {
  if (!room.isLecturer || isScreen() || name === "speaker") return;
  const query = [...parameters].filter(([key]) => ["era", "preset"].includes(key)).map((one) => one.join("="))[0];
  const at = query ? `${name}?${query}` : name;
  if (AT.test(at) && at !== room.state?.tour.at) room.control("go", { at }).catch(() => {});
}

/** A view without its preset: who follows does not begin it once more. */
const bare = (at) => at.split("?preset=")[0];

function follow() {
  const { at = "", step = null } = room.state?.tour ?? {};
  const isTaken = step === followed;
  followed = step;
  const isNew = at !== shownAt;
  shownAt = at;
  if (!at || isSpeaker()) return;
  const goes = isScreen() ? isNew : room.isLecturer && !isTaken && step !== null;
  if (goes && location.hash !== `#${at}`) location.hash = bare(at);
}

/** Tell a viewer where the lecturer is, with a way there. */
export function mountTour(holder) {
  const link = el("a", {});
  const bar = el("p", { id: "now", hidden: true }, el("span", { say: "tour.now" }), " ", link);
  holder.append(bar);
  const fill = () => {
    follow();
    const at = room.state?.tour.at;
    const here = location.hash.slice(1);
    bar.hidden = !at || room.isLecturer || isScreen() || bare(at) === bare(here) || at === here;
    if (bar.hidden) return;
    const [name] = at.split("?");
    const title = say(titleOf({ at }));
    setText(link, name === at ? title : `${say(`nav.${name}`)}: ${title}`);
    link.href = `#${bare(at)}`;
  };
  for (const news of ["state", "role"]) room.addEventListener(news, fill);
  for (const news of ["language", "hashchange"]) addEventListener(news, fill);
}
