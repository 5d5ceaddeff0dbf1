// What this browser remembers, one person apart from the other. Where the browser keeps nothing, memory stands in until the page closes.

const PREFIX = "parley.rate";
const DRAFT_DAYS = 3;

// Random, and available on plain http too, where crypto.randomUUID is not.
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Store {
  constructor(person) {
    this.prefix = `${PREFIX}.${person}`;
    this.memory = new Map();
    this.lasting = true;
  }

  read(kind, id) {
    const name = `${this.prefix}.${kind}.${id}`;
    try {
      return JSON.parse(localStorage.getItem(name) ?? this.memory.get(name) ?? "null");
    } catch {
      return null;
    }
  }

  write(kind, id, value) {
    const name = `${this.prefix}.${kind}.${id}`;
    const text = JSON.stringify(value);
    try {
      localStorage.setItem(name, text);
      this.memory.delete(name);
    } catch {
      this.lasting = false;
      this.memory.set(name, text);
    }
  }

  remove(kind, id) {
    const name = `${this.prefix}.${kind}.${id}`;
    this.memory.delete(name);
    try {
      localStorage.removeItem(name);
    } catch {
      this.lasting = false;
    }
  }

  ids(kind) {
    const start = `${this.prefix}.${kind}.`;
    let names = [...this.memory.keys()];
    try {
      names = names.concat(Object.keys(localStorage));
    } catch {
      this.lasting = false;
    }
    return [...new Set(names.filter((name) => name.startsWith(start)).map((name) => name.slice(start.length)))];
  }

  forgetOldDrafts(now = Date.now()) {
    for (const id of this.ids("draft")) {
      const draft = this.read("draft", id);
      if (!draft || now - draft.at > DRAFT_DAYS * 86_400_000) this.remove("draft", id);
    }
  }
}
