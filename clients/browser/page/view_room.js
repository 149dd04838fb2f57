// The room: the address for everybody's phone, and who may do what.

import { el, setText } from "./dom.js";
import { number, say } from "./i18n.js";
import { room } from "./room.js";

const parts = {};
const isOwn = /^(localhost|127\.[\d.]+|\[::1\])$/.test(location.hostname);

export function mount(section) {
  parts.address = el("p", { className: "address" });
  parts.code = el("div", { className: "code" });
  parts.viewers = el("p", {});
  parts.direct = el("code", {});
  section.append(
    el("div", { className: "heading" }, el("h1", { say: "room.title" })),
    parts.address, parts.code, parts.viewers,
    el("h2", { say: "room.rights" }),
    el("ul", {}, ...["watch", "chat", "own", "lecturer"].map((name) => el("li", { say: `room.${name}` }))),
    // What listens on the server's own machine only is no address for another one.
    ...(isOwn ? [el("h2", { say: "room.direct" }),
      el("p", {}, el("span", { say: "room.direct-intro" }), " ", parts.direct)] : []),
  );
  room.addEventListener("state", fill);
  addEventListener("language", fill);
}

export function show() {
  fill();
}

function fill() {
  if (!room.state) return;
  const { room: address, viewers, techniques_url: direct } = room.state;
  setText(parts.address, address || say("room.closed"));
  parts.address.classList.toggle("open", Boolean(address));
  if (address && !parts.code.firstChild) {
    parts.code.append(el("img", { src: "/lecture/qr", alt: say("room.code") }));
  }
  setText(parts.viewers, say("room.viewers", { count: number(viewers) }));
  setText(parts.direct, direct);
}
