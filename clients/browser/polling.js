// Polling (1999): a script asks on a timer, whether there is something or not. The timer keeps its
// beat: on a slow line a question may leave before the last one was answered.

import { ask, publish, takeBatch } from "./requests.js";

const MOST_UNDER_WAY = 6;

export function open(lane) {
  let timer = 0;
  let due = performance.now();
  let underWay = 0;

  async function poll() {
    const now = performance.now();
    due = Math.max(due + lane.seconds * 1000, now);
    timer = setTimeout(poll, due - now);
    if (underWay >= MOST_UNDER_WAY) return;
    underWay += 1;
    try {
      const answer = await ask("GET", lane.url("/polling", { after: lane.after }), { timeout: 30000 });
      if (answer.status === 200) takeBatch(lane, answer.responseText);
      lane.state(answer.status < 300 ? "open" : "broken");
    } catch {
      lane.state("broken");
    } finally {
      underWay -= 1;
    }
  }

  poll();
  return { send: (message) => publish(lane, message), close: () => clearTimeout(timer) };
}
