// XMLHttpRequest, as pages have asked since 1999, and the POST by which most techniques talk back.

/** Ask; resolves with the request when it is over, rejects where nobody answered. */
export function ask(method, url, { body = null, type = "", timeout = 0, started = null } = {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    request.timeout = timeout;
    if (type) request.setRequestHeader("Content-Type", type);
    request.onload = () => resolve(request);
    request.onerror = request.ontimeout = () => reject(new Error("no answer"));
    request.onabort = () => reject(new Error("ended"));
    started?.(request);
    request.send(body);
  });
}

/** Write bytes as base64: a third more of them, and all are text. */
export function base64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return btoa(text);
}

/** Publish by a POST of its own. `sent_ns` is the server's clock when it was sent. */
export async function publish(lane, { text, bytes, sent_ns }) {
  const content = bytes ? { base64: base64(bytes) } : { text };
  const body = JSON.stringify({ ...content, sender: lane.name, sent_ns });
  const answer = await ask("POST", lane.nameless("/publish"), { body, type: "application/json" });
  if (answer.status !== 201) throw new Error(problemOf(answer.responseText, answer.status));
}

/** Return what a problem (RFC 9457) says. */
export function problemOf(text, status) {
  try {
    return JSON.parse(text).detail;
  } catch {
    return `status ${status}`;
  }
}

/** Take a batch of messages, as polling and long-polling bring it. */
export function takeBatch(lane, text) {
  /** @type {{ messages: Message[], cursor: string, gap: boolean }} */
  const { messages, cursor, gap } = JSON.parse(text);
  if (gap) {
    const epoch = cursor.slice(0, cursor.lastIndexOf("-"));
    lane.gap(`${epoch}-${messages.length ? messages[0].id - 1 : cursor.slice(epoch.length + 1)}`);
  }
  for (const message of messages) lane.take(message);
}
