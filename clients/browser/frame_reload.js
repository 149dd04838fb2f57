// Frame reload (1996): the page stays, and only the frame with the messages is loaded again. The
// form stands in a second frame, so that sending does not disturb reading.

import { publish } from "./requests.js";
import { refusalIn, reloading, submit } from "./reloading.js";

export function open(lane) {
  const messages = reloading(lane, "/frame_reload");
  const formFrame = document.createElement("iframe");
  formFrame.title = "form";
  formFrame.className = "hidden";
  let ready = null;
  return {
    async send(message) {
      if (message.bytes) return publish(lane, message); // this form carries text only
      if (!formFrame.isConnected) {
        ready = loadOf(formFrame);
        formFrame.src = lane.url("/frame_reload/form");
        lane.frames.append(formFrame);
      }
      await ready;
      ready = loadOf(formFrame);
      const form = formFrame.contentDocument?.querySelector("form");
      if (!form) {
        formFrame.remove();
        throw new Error("no answer");
      }
      submit(form, lane, message);
      await ready;
      if (!formFrame.contentDocument?.querySelector("form")) {
        const why = refusalIn(formFrame);
        formFrame.remove();
        throw new Error(why);
      }
    },
    close() {
      messages.close();
      formFrame.remove();
    },
  };
}

const loadOf = (frame) =>
  new Promise((resolve) => frame.addEventListener("load", resolve, { once: true }));
