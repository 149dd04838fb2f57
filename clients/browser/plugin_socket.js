// Plugin socket (2000): no browser runs plugins any more, so a plugin is emulated beside the page. It
// opens raw TCP on a port of its own, through its own line, and hands each message to this page, as
// a plugin handed it to a script.

import { base64 } from "./requests.js";

/**
 * Start an emulated plugin. `room` is the page's door to it; `tell` hears its reports. It ends with
 * the page's event stream; the next one goes on from the `cursor` of the one before.
 */
export async function open(room, { channel, name, brief, cursor = "" }, tell) {
  await room.opened;
  const order = { channel, name, brief, ...(cursor && { cursor }) };
  let at = cursor;
  const plugin = await room.startPlugin(order, (report) => {
    if (report.cursor) at = report.cursor;
    if (report.message) at = `${at.slice(0, at.lastIndexOf("-") + 1)}${report.message.id}`;
    tell(read(report, room));
  });
  const stop = () => room.leavePlugin(plugin);
  const query = { viewer: room.viewer, plugin };
  return {
    cursor: () => at,
    send({ text, bytes, sent_ns }) {
      const content = bytes ? { base64: base64(bytes) } : { text };
      return room.post("plugin/send", { ...content, sender: name, sent_ns }, query);
    },
    stop,
    close() {
      stop();
      room.post("plugin/close", {}, query).catch(() => {}); // it may have ended already
    },
  };
}

/** Put a report in the form that lanes use. */
function read(report, room) {
  if (report.message) {
    const { text, base64: coded, ...fields } = report.message;
    const bytes = coded === undefined ? undefined
      : Uint8Array.from(atob(coded), (letter) => letter.charCodeAt(0));
    const size = fields.size ?? bytes?.length ?? new TextEncoder().encode(text).length;
    const at = report.at_ms - room.offset;
    return { messages: [{ ...fields, text, bytes, size, at }] };
  }
  if (report.problem) return { state: "problem", detail: report.problem.detail };
  return { gap: report.gap, state: report.state };
}
