// Sending a file, and how far it has come. What counts is what has passed the relay: that something was
// handed over does not say that it went. A photo that is too large is made smaller first.

import { technique } from "./techniques.js";

export const MOST_BYTES = 1_500_000;
const SIDES = [2048, 1600, 1200, 800]; // of a smaller picture, in pixels: the first that fits
const QUALITY = 0.85;
const SETTLE_MS = 200; // what passed is told a moment later
const MARK = "📎 ";

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The words that go before a file and tell its name, as bytes have none. */
export const announcement = (name) => MARK + name.replace(/\s+/g, " ").slice(-100);

/** Return the name that a text announces; null where it is another text. */
export const announced = (text) => (text?.startsWith(MARK) ? text.slice(MARK.length) : null);

/** Return a file that fits; null where it cannot be made to. */
export async function fitting(file) {
  if (file.size <= MOST_BYTES) return file;
  const picture = await createImageBitmap(file).catch(() => null);
  if (!picture) return null;
  for (const side of SIDES) {
    const scale = Math.min(side / Math.max(picture.width, picture.height), 1);
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    /** @type {Blob | null} */
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
    if (blob && blob.size <= MOST_BYTES) {
      return new File([blob], file.name.replace(/(\.\w+)?$/, ".jpg"), { type: blob.type });
    }
  }
  return null;
}

/**
 * Send bytes; `tell` hears how many have passed, and about how many will. Resolves, once the last
 * has passed, with how many they were, and with what resolves when the server has them; rejects with
 * what was wrong.
 */
export async function sendBytes(lane, content, tell) {
  const { two_way: isTwoWay, codec } = technique(lane.slug);
  const all = codec === "web_socket_frames" ? content.length + 8 : Math.ceil(content.length / 3) * 4;
  await pause(SETTLE_MS); // what went before is told, too
  let carrier = null; // the connection that it goes up on
  let up = 0;
  const whole = Promise.withResolvers();
  const stop = lane.track.onUp(({ connection, length, request }) => {
    if (isTwoWay ? !carrier && !request : request?.startsWith("POST /publish")) {
      carrier = connection;
      up = 0;
    }
    if (connection !== carrier) return;
    up += length;
    tell(Math.min(up, all), all);
    if (up >= all) whole.resolve();
  });
  try {
    const sent = lane.send({ bytes: content });
    await Promise.race([sent, whole.promise]);
    await pause(SETTLE_MS);
    return { up, sent };
  } finally {
    stop();
  }
}
