// Page reload (1995): to see what is new, all of the page is loaded again, in a frame of its own
// here. To talk back, a form of the page is sent, and the answer redirects to the page.

import { publish } from "./requests.js";
import { reloading, submit } from "./reloading.js";

export function open(lane) {
  const page = reloading(lane, "/page_reload");
  return {
    async send(message) {
      if (message.bytes) return publish(lane, message); // this form carries text only
      for (;;) {
        const form = page.frame.contentDocument?.querySelector("form");
        if (form) {
          const loaded = page.loaded();
          page.busy();
          submit(form, lane, message);
          return loaded;
        }
        await page.loaded();
      }
    },
    close: page.close,
  };
}
