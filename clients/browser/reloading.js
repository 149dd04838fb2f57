// What page reload and frame reload share: a document that is loaded again and again, in a frame
// with an address bar of nobody. Its list of messages is read after each load.

import { problemOf } from "./requests.js";

const PATIENCE_MS = 15000;

/** Keep loading `path` in a frame, every `lane.seconds`; returns the frame's owner. */
export function reloading(lane, path) {
  const frame = document.createElement("iframe");
  frame.title = "messages";
  let timer = 0;
  let due = performance.now();
  let asked = 0;
  let answered = null;
  let sending = false; // a form is on its way

  function refuse(why) {
    sending = false;
    answered?.reject(new Error(why));
    answered = null;
  }

  function load() {
    if (sending) refuse("no answer");
    asked = performance.now();
    // replace() and not src: thousands of reloads should not fill the Back button.
    frame.contentWindow.location.replace(lane.url(path, { after: lane.after }));
    plan();
  }

  function plan() {
    const now = performance.now();
    due = Math.max(due + lane.seconds * 1000, now);
    clearTimeout(timer);
    timer = setTimeout(next, due - now);
  }

  // A reload on its way is waited for: loading anew would throw away what has come already.
  function next() {
    if (asked && performance.now() - asked < PATIENCE_MS) plan();
    else load();
  }

  function read() {
    const main = frame.contentDocument?.querySelector("main");
    asked = 0;
    if (!main?.dataset.cursor) {
      if (frame.contentDocument?.URL !== "about:blank") lane.state("broken");
      if (sending) refuse(refusalIn(frame));
      return;
    }
    sending = false;
    lane.state("open");
    showNewest(main);
    const items = [...main.querySelectorAll("li")].filter((item) => item.dataset.message);
    /** @type {Message[]} */
    const messages = items.map((item) => JSON.parse(item.dataset.message));
    const [epoch] = main.dataset.cursor.split("-");
    const isOther = !lane.after.startsWith(`${epoch}-`);
    if (isOther || main.dataset.gap === "true") {
      lane.gap(`${epoch}-${messages.length ? messages[0].id - 1 : 0}`);
    }
    // After a form was sent the page shows the last messages only; more may lie before them.
    const isHole = messages.length && messages[0].id > lane.last + 1;
    if (isHole) load();
    else for (const message of messages) lane.take(message);
    answered?.resolve();
    answered = null;
  }

  frame.addEventListener("load", read);
  lane.frames.append(frame);
  load();
  return {
    frame,
    /** Resolves after the next load that brought a page; rejects where a form was refused. */
    loaded() {
      answered ??= Promise.withResolvers();
      return answered.promise;
    },
    /** Something else is loading in the frame: a form was sent. */
    busy() {
      asked = performance.now();
      sending = true;
    },
    close() {
      clearTimeout(timer);
      frame.remove();
    },
  };
}

/** Roll a document to the end of its messages, as a reader would; what is new stands there. */
function showNewest(main) {
  const view = main.ownerDocument.defaultView;
  view.scrollBy(0, main.getBoundingClientRect().bottom - view.innerHeight + 4);
}

/** Return what a document says that came in place of a page: a problem's words, if it is one. */
export function refusalIn(frame) {
  const text = frame.contentDocument?.querySelector("pre")?.textContent;
  return text ? problemOf(text, "unknown") : "no answer";
}

/** Fill in a form of the server's and send it, as a person would. */
export function submit(form, lane, { text, sent_ns }) {
  form.elements.sender.value = lane.name;
  form.elements.text.value = text;
  if (sent_ns) {
    const field = form.ownerDocument.createElement("input");
    Object.assign(field, { type: "hidden", name: "sent_ns", value: sent_ns });
    form.append(field);
  }
  form.submit();
}
