// SHA-1, for the WebSocket handshake: crypto.subtle exists only where the page came from this very
// machine or by https, and a room's page comes by plain http. Not for keeping secrets.

const rotate = (word, by) => (word << by) | (word >>> (32 - by));

/** Return the 20 bytes of the digest of `bytes` (FIPS 180-4, 6.1). */
function plain(bytes) {
  const size = ((bytes.length + 8) >> 6) + 1;
  const words = new Uint32Array(size * 16);
  bytes.forEach((byte, i) => { words[i >> 2] |= byte << (24 - (i % 4) * 8); });
  words[bytes.length >> 2] |= 0x80 << (24 - (bytes.length % 4) * 8);
  words[size * 16 - 1] = bytes.length * 8;
  const hash = new Uint32Array([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0]);
  const w = new Uint32Array(80);
  for (let block = 0; block < words.length; block += 16) {
    let [a, b, c, d, e] = hash;
    for (let t = 0; t < 80; t += 1) {
      w[t] = t < 16 ? words[block + t] : rotate(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
      const [mix, constant] = t < 20 ? [(b & c) | (~b & d), 0x5a827999]
        : t < 40 ? [b ^ c ^ d, 0x6ed9eba1]
        : t < 60 ? [(b & c) | (b & d) | (c & d), 0x8f1bbcdc]
        : [b ^ c ^ d, 0xca62c1d6];
      [a, b, c, d, e] = [(rotate(a, 5) + mix + e + constant + w[t]) >>> 0, a, rotate(b, 30) >>> 0, c, d];
    }
    [a, b, c, d, e].forEach((word, i) => { hash[i] += word; });
  }
  return new Uint8Array([...hash].flatMap((word) => [24, 16, 8, 0].map((by) => (word >>> by) & 255)));
}

/** Return the digest by the browser's own means where it has them, else by ours. */
export async function sha1(bytes) {
  if (!globalThis.crypto?.subtle) return plain(bytes);
  return new Uint8Array(await crypto.subtle.digest("SHA-1", bytes));
}

export { plain as plainSha1 };
