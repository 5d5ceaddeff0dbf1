// What is on its way to the server. An entry leaves only when the server has said yes, after its commit, or a no that will stay a no.
// Every try carries the same key, so a save that arrived although its answer was lost is not counted twice.

const FIRST_PAUSE_MS = 700;
const LONGEST_PAUSE_MS = 15_000;

export class Outbox {
  // changed(): the state is another one; accepted(entry, answer); refused(entry, failure)
  constructor({ store, post, changed, accepted, refused }) {
    Object.assign(this, { store, post, changed, accepted, refused });
    this.state = "ready"; // ready · saving · saved · trying · signedOut
    this.running = false;
    this.wake = null;
    this.pause = FIRST_PAUSE_MS;
    addEventListener("online", () => this.wake?.());
  }

  entries() {
    return this.store
      .ids("outbox")
      .map((key) => this.store.read("outbox", key))
      .filter(Boolean)
      .sort((a, b) => a.at - b.at);
  }

  get pending() {
    return this.store.ids("outbox").length;
  }

  add(entry) {
    this.store.write("outbox", entry.key, { ...entry, at: Date.now() });
    this.send();
  }

  // Everything is with the server, or it is clear that it cannot be now.
  async settled() {
    this.send();
    while (this.pending && (this.state === "saving" || this.state === "ready")) await new Promise((done) => setTimeout(done, 20));
    return this.pending === 0;
  }

  async send() {
    this.wake?.();
    if (this.running) return;
    this.running = true;
    try {
      for (let entry = this.entries()[0]; entry; entry = this.entries()[0]) {
        if (this.state !== "trying" && this.state !== "signedOut") this.#become("saving");
        await this.#sendOne(entry);
      }
    } finally {
      this.running = false;
    }
  }

  async #sendOne(entry) {
    try {
      const answer = await this.post(entry.route, { key: entry.key, ...entry.body });
      this.store.remove("outbox", entry.key);
      this.pause = FIRST_PAUSE_MS;
      this.#become(this.pending ? "saving" : "saved");
      this.accepted(entry, answer);
    } catch (failure) {
      if (failure.final) {
        this.store.remove("outbox", entry.key);
        this.#become(this.pending ? "saving" : "ready");
        this.refused(entry, failure);
        return;
      }
      this.#become(failure.signedOut ? "signedOut" : "trying");
      await new Promise((done) => {
        this.wake = done;
        setTimeout(done, this.pause * (0.75 + Math.random() / 2));
      });
      this.wake = null;
      this.pause = Math.min(LONGEST_PAUSE_MS, this.pause * 2);
    }
  }

  #become(state) {
    if (state !== this.state) {
      this.state = state;
      this.changed();
    }
  }
}
