// Making elements, and saying things to people.

import { say } from "./i18n.js";

/**
 * Make an element. `say`, `label`, `title` and `placeholder` name words of the language in use; `on`
 * holds listeners; the rest are properties.
 */
export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  const { say: key, label, hint, placeholder, on = {}, data = {}, attributes = {}, ...rest } = properties;
  if (key) {
    node.dataset.say = key;
    node.textContent = say(key);
  }
  if (label) {
    node.dataset.sayLabel = label;
    node.setAttribute("aria-label", say(label));
  }
  if (hint) {
    node.dataset.sayTitle = hint;
    node.title = say(hint);
  }
  if (placeholder) {
    node.dataset.sayPlaceholder = placeholder;
    node.placeholder = say(placeholder);
  }
  Object.assign(node, rest);
  Object.assign(node.dataset, data);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  for (const [name, listener] of Object.entries(on)) node.addEventListener(name, listener);
  node.append(...children);
  return node;
}

/** Change what an element says in the language in use. */
export function saying(node, key) {
  node.dataset.say = key;
  node.textContent = say(key);
}

/** Set text only where it differs: untouched nodes cost no layout. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

let hiding = 0;

/**
 * Tell everybody something, for so many milliseconds; for ever, until it is closed or something else
 * is told.
 */
export function notify(text, ms = 6000) {
  const notice = document.getElementById("notice");
  notice.textContent = text;
  clearTimeout(hiding);
  if (text && ms === Infinity) {
    notice.append(" ", el("button", { type: "button", say: "keys.close", on: { click: () => notify("") } }));
  }
  if (ms < Infinity) hiding = setTimeout(() => { notice.textContent = ""; }, ms);
}

/** Do something that may be refused; the refusal is told. */
export async function attempt(action) {
  try {
    await action();
    return true;
  } catch (error) {
    notify(error.message);
    return false;
  }
}

const CALM_FRAME_MS = 100;

/**
 * Return how to have `draw` called before the next frame, or soon where calm is wanted: a frame that is
 * asked for is made, though nothing is drawn in it. Asked twice, it is called once.
 */
export function beforeFrames(draw) {
  let isAsked = false;
  const drawNow = (time) => {
    isAsked = false;
    draw(time);
  };
  return () => {
    if (isAsked) return;
    isAsked = true;
    if (wantsCalm()) setTimeout(() => requestAnimationFrame(drawNow), CALM_FRAME_MS);
    else requestAnimationFrame(drawNow);
  };
}

export const wantsCalm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
