// WebSocket (2011): one connection, messages both ways, text or bytes. Coming back after a break is
// the page's own business, and so is the cursor to go on from.

const AGAIN_MS = [250, 500, 1000];

export function open(lane) {
  let socket = null;
  let timer = 0;
  let failures = 0;

  function connect() {
    const address = lane.url("/web_socket", { after: lane.after, binary: "frames", envelope: "json" });
    socket = new WebSocket(`ws://${location.host}${address}`, "duplex.v1");
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      failures = 0;
      lane.state("open");
    };
    socket.onmessage = ({ data }) => {
      const message = typeof data === "string" ? JSON.parse(data) : readBinary(new Uint8Array(data));
      if (message.problem) lane.state("problem", message.problem.detail);
      else if (message.gap) lane.gap(message.cursor);
      else lane.take(message);
    };
    socket.onclose = () => {
      lane.state("broken");
      timer = setTimeout(connect, AGAIN_MS[Math.min(failures++, AGAIN_MS.length - 1)]);
    };
  }

  connect();
  return {
    async send({ text, bytes, sent_ns }) {
      if (socket.readyState !== WebSocket.OPEN) throw new Error("not connected");
      socket.send(bytes ?? JSON.stringify({ text, sender: lane.name, sent_ns }));
    },
    close() {
      clearTimeout(timer);
      socket.onclose = null;
      socket.close();
    },
  };
}

/** Read a binary frame: the message's fields as a line of JSON, then its bytes. */
function readBinary(data) {
  const end = data.indexOf(10);
  const fields = JSON.parse(new TextDecoder().decode(data.subarray(0, end)));
  return { ...fields, bytes: data.slice(end + 1) };
}
