// What the page remembers of a person's choices. A convenience: where the browser keeps nothing, be it
// by its settings or for want of room, the page works all the same and forgets with its end.

class Memory {
  /** @param {"sessionStorage" | "localStorage"} store where the browser keeps it */
  constructor(store) {
    this.store = store;
    this.kept = new Map();
  }

  /** Return what was kept under `key`, or null. */
  get(key) {
    if (this.kept.has(key)) return this.kept.get(key);
    try {
      return window[this.store].getItem(key); // naming the store is refused already
    } catch {
      return null;
    }
  }

  /** Keep a text; an empty one is forgotten. */
  set(key, text) {
    this.kept.set(key, text || null);
    try {
      if (text) window[this.store].setItem(key, text);
      else window[this.store].removeItem(key);
    } catch {
      // Kept as long as the page is.
    }
  }
}

export const ofTab = new Memory("sessionStorage");
export const ofBrowser = new Memory("localStorage");
