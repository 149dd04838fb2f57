// Fetch streaming (2016): fetch() gives a script the answer while it comes, piece by piece. One line
// is one message. Nothing comes back by itself: after a break the script asks again, with the cursor.

import { publish } from "./requests.js";

const AGAIN_MS = 500;

export function open(lane) {
  const leaving = new AbortController();
  let timer = 0;

  async function run() {
    const { signal } = leaving;
    try {
      const url = lane.url("/fetch_stream", { after: lane.after });
      const answer = await fetch(url, { signal, cache: "no-store" });
      if (!answer.ok) throw new Error("refused");
      lane.state("open");
      await read(answer.body); // which should have no end
    } catch {
      if (signal.aborted) return;
    }
    lane.state("broken");
    timer = setTimeout(run, AGAIN_MS);
  }

  async function read(body) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) if (line.trim()) take(JSON.parse(line));
    }
  }

  function take(message) {
    if ("gap" in message) lane.gap(message.cursor);
    else lane.take(message);
  }

  run();
  return {
    send: (message) => publish(lane, message),
    close() {
      clearTimeout(timer);
      leaving.abort();
    },
  };
}
