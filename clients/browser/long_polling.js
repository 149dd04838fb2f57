// Long-polling (2005): a script asks, and the server answers when there is something to tell. The
// next question leaves at once; the cursor sees that nothing falls between two of them.

import { ask, publish, takeBatch } from "./requests.js";

const HOLD_S = 25;

export function open(lane) {
  let isOpen = true;
  let request = null;

  async function run() {
    while (isOpen) {
      try {
        const url = lane.url("/long_polling", { after: lane.after, timeout: HOLD_S });
        const answer = await ask("GET", url, { started: (one) => { request = one; } });
        if (answer.status === 200) takeBatch(lane, answer.responseText);
        if (answer.status >= 300) throw new Error("refused");
        lane.state("open");
      } catch {
        if (!isOpen) return;
        lane.state("broken");
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    }
  }

  run();
  lane.state("open");
  return {
    send: (message) => publish(lane, message),
    close() {
      isOpen = false;
      request?.abort();
    },
  };
}
