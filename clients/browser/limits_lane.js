// The limits lab's own page: opens as many EventSources and WebSockets as it is told to, on one
// origin, and tells what becomes of them.

const MOMENT_MS = 20;

export function open(lane, report) {
  const sources = [];
  const sockets = [];
  const refused = new Set(); // sockets that ended before they were open
  let telling = 0;
  const [page] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
  const protocol = page.nextHopProtocol;

  /** Tell how all stand: once for all that comes in a moment, for hundreds may open at once. */
  function tell() {
    telling ||= setTimeout(() => {
      telling = 0;
      const waits = (one) => (one.readyState === 0 ? "waiting" : one.readyState === 1 ? "open"
        : refused.has(one) ? "refused" : "closed");
      report({ limits: { sources: sources.map(waits), sockets: sockets.map(waits), protocol } });
    }, MOMENT_MS);
  }

  return {
    source({ count = 1 }) {
      for (let i = 0; i < count; i += 1) {
        const source = new EventSource(lane.url("/sse"));
        source.onopen = source.onerror = tell;
        sources.push(source);
      }
      tell();
    },
    closeSource() {
      sources.shift()?.close();
      tell();
    },
    socket({ count }) {
      for (let i = 0; i < count; i += 1) {
        const socket = new WebSocket(`${location.protocol.replace("http", "ws")}//${location.host}/web_socket/echo`);
        let isOpened = false;
        socket.onopen = () => { isOpened = true; tell(); };
        socket.onclose = () => { if (!isOpened) refused.add(socket); tell(); };
        sockets.push(socket);
      }
      tell();
    },
    closeAll() {
      for (const one of sources) one.close();
      for (const socket of sockets) {
        // One that is still connecting is left to: closing it now is complained of in the console.
        socket.onclose = null;
        socket.onopen = () => socket.close();
        if (socket.readyState !== WebSocket.CONNECTING) socket.close();
      }
      sources.length = sockets.length = 0;
      refused.clear();
      tell();
    },
  };
}
