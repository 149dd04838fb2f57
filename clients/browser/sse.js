// Server-Sent Events (2009): EventSource reads a stream of events, and comes back by itself with the
// id of the last one. It brings text down; to talk back, a page still POSTs.

import { publish } from "./requests.js";

export function open(lane) {
  let source = null;
  let timer = 0;

  function connect() {
    source = new EventSource(lane.url("/sse", { after: lane.after }));
    source.onopen = () => lane.state("open");
    source.onmessage = (event) => lane.take(JSON.parse(event.data));
    source.addEventListener("gap", (event) => lane.gap(JSON.parse(event.data).cursor));
    source.onerror = () => {
      lane.state("broken");
      // It reconnects where the line failed, but gives up where an answer was wrong.
      if (source.readyState === EventSource.CLOSED) timer = setTimeout(connect, 1000);
    };
  }

  connect();
  return {
    send: (message) => publish(lane, message),
    close() {
      clearTimeout(timer);
      source.close();
    },
  };
}
