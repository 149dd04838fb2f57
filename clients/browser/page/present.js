// Who is in the room: asked for once, when the page comes in, and then kept by the notices of who joins
// and who leaves.

import { el, setText } from "./dom.js";
import { number, say } from "./i18n.js";
import { SLUGS } from "./techniques.js";

const SHOWN = 24;

export class Present {
  constructor() {
    this.people = new Map(); // name and technique, of each
    this.title = el("span", {});
    this.list = el("span", {});
    this.node = el("p", { id: "chat-present", hidden: true }, this.title, " ", this.list);
    addEventListener("language", () => this.draw());
  }

  /** Ask who is there now. */
  async ask() {
    const answer = await fetch("/lecture/present").catch(() => null);
    if (!answer?.ok) return; // the notices go on
    const { present } = await answer.json();
    this.people = new Map(present.map((one) => [one.join("\n"), one]));
    this.draw();
  }

  /** @param {Message} notice */
  hear({ sender, presence, text: slug }) {
    if (presence === "joined") this.people.set(`${sender}\n${slug}`, [sender, slug]);
    else this.people.delete(`${sender}\n${slug}`);
    this.draw();
  }

  clear() {
    this.people.clear();
    this.draw();
  }

  draw() {
    this.node.hidden = !this.people.size;
    setText(this.title, say("chat.present", { count: number(this.people.size) }));
    const people = [...this.people.values()].slice(0, SHOWN).flatMap(([name, slug], i) => [i ? ", " : "",
      el("bdi", {}, el("b", { textContent: name })),
      ` (${SLUGS.includes(slug) ? say(`technique.${slug}`) : slug})`]);
    this.list.replaceChildren(...people, this.people.size > SHOWN ? " …" : "");
  }
}
