// Forever frame (2000): a hidden frame loads a page that never ends. Each piece of it is a script
// that calls `receive` in the page around, as soon as it has come.

import { publish } from "./requests.js";

const AGAIN_MS = 500;
const WATCH_MS = 500;
// The server sends a line feed every five seconds. Where it stays out the line is dead: a browser
// does not tell when a page breaks off in the middle, it goes on waiting.
const SILENCE_MS = 7500;

export function open(lane) {
  const frame = document.createElement("iframe");
  frame.title = "forever";
  frame.className = "hidden";
  let timer = 0;
  let watched = null; // the page whose life is watched
  let lastSign = 0;

  window.receive = (message) => {
    if ("gap" in message) lane.gap(message.cursor);
    else lane.take(message);
    // A page that never ends grows for ever, unless what was run is thrown away.
    const { head, body } = frame.contentDocument;
    for (const part of [head, body]) part?.replaceChildren();
  };

  function load() {
    frame.onload = ended;
    frame.contentWindow.location.replace(lane.url("/forever_frame", { after: lane.after }));
    lastSign = performance.now();
    timer = setInterval(watch, WATCH_MS);
  }

  // Whatever arrives becomes part of the page, which is another one than before it came.
  const life = new MutationObserver(() => { lastSign = performance.now(); });

  function watch() {
    const page = frame.contentDocument;
    if (page && page !== watched && page.URL !== "about:blank") {
      life.disconnect();
      life.observe(page, { childList: true, subtree: true, characterData: true });
      watched = page;
      lastSign = performance.now();
      lane.state("open");
    }
    if (performance.now() - lastSign > SILENCE_MS) ended();
  }

  // The page has ended, which it should not, or could not be reached, or is silent.
  function ended() {
    clearInterval(timer);
    frame.onload = null;
    lane.state("broken");
    timer = setTimeout(load, AGAIN_MS);
  }

  lane.frames.append(frame);
  load();
  return {
    send: (message) => publish(lane, message),
    close() {
      clearInterval(timer);
      life.disconnect();
      frame.remove();
    },
  };
}
