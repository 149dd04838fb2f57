// Forever frame (2000): a hidden frame loads a page that never ends. Each piece of it is a script
// that calls `receive` in the page around, as soon as it has come.

import { publish } from "./requests.js";

const AGAIN_MS = 500;

export function open(lane) {
  const frame = document.createElement("iframe");
  frame.title = "forever";
  frame.className = "hidden";
  let timer = 0;

  window.receive = (message) => {
    lane.state("open");
    if (message.gap) lane.gap(message.cursor);
    else lane.take(message);
    // A page that never ends grows for ever, unless what was run is thrown away.
    frame.contentDocument.body?.replaceChildren();
  };

  function load() {
    frame.contentWindow.location.replace(lane.url("/forever_frame", { after: lane.after }));
    frame.onload = ended;
  }

  // The frame has loaded: so the page has ended, which it should not, or could not be reached.
  function ended() {
    lane.state("broken");
    timer = setTimeout(load, AGAIN_MS);
  }

  lane.frames.append(frame);
  load();
  lane.state("open");
  return {
    send: (message) => publish(lane, message),
    close() {
      clearTimeout(timer);
      frame.remove();
    },
  };
}
