// Words in the reader's language; numbers and dates in the reader's form.

import { ofBrowser } from "./memory.js";
import { TECHNIQUES } from "./techniques.js";

const LANGUAGES = ["en", "es", "ro"];
const STORED = "duplex.language";

// Of a technique that has no words of its own, the registry's are said.
const SPARE = Object.fromEntries(TECHNIQUES.flatMap(({ slug, title, idea, down, up, source }) => [
  [`technique.${slug}`, title], [`${slug}.did`, `↓ ${down} ↑ ${up}`], [`${slug}.why`, idea],
  [`${slug}.not`, ""], [`${slug}.source`, source], [`${slug}.living`, ""],
]));

let words = {};
export let language = "en";

/** Choose the language: one asked for, else the one chosen before, else the browser's. */
export async function useLanguage(asked) {
  const wished = [asked, ofBrowser.get(STORED), ...navigator.languages.map((l) => l.slice(0, 2))];
  const chosen = wished.find((one) => LANGUAGES.includes(one)) ?? "en";
  language = chosen;
  if (asked) ofBrowser.set(STORED, language);
  const found = await import(`./words/${language}.js`).catch(() => null);
  if (!found || language !== chosen) return; // nobody is there, or another one was chosen meanwhile
  words = found.default;
  document.documentElement.lang = language;
  translate(document);
  dispatchEvent(new Event("language"));
}

/** Return the words for `key`, with {names} filled in. */
export function say(key, values = {}) {
  return (words[key] ?? SPARE[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** Fill in the words of everything that names its key. */
export function translate(root) {
  for (const node of root.querySelectorAll("[data-say]")) node.textContent = say(node.dataset.say);
  for (const node of root.querySelectorAll("[data-say-label]")) {
    node.setAttribute("aria-label", say(node.dataset.sayLabel));
  }
  for (const node of root.querySelectorAll("[data-say-title]")) node.title = say(node.dataset.sayTitle);
  for (const node of root.querySelectorAll("[data-say-placeholder]")) {
    node.placeholder = say(node.dataset.sayPlaceholder);
  }
}

const formats = new Map();

/** Write a number with at most so many digits after the point. */
export function number(value, digits = 0) {
  const key = `${language}${digits}`;
  if (!formats.has(key)) {
    const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    formats.set(key, new Intl.NumberFormat(language, options));
  }
  return formats.get(key).format(value);
}

/** Write bytes in the unit that fits. */
export function bytes(value) {
  if (value < 10000) return `${number(value)} B`;
  if (value < 1e6) return `${number(value / 1000, value < 1e5 ? 1 : 0)} kB`;
  return `${number(value / 1e6, 1)} MB`;
}

/** Write a latency of so many milliseconds. */
export function duration(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms >= 999.5) return `${number(ms / 1000, 2)} s`;
  return `${number(Math.max(ms, 0), ms > 0 && ms < 9.95 ? 1 : 0)} ms`;
}

/** Write a time of day. */
export function time(date = new Date()) {
  return new Intl.DateTimeFormat(language, { timeStyle: "medium" }).format(date);
}
