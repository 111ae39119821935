// The bytes of files that wait in the send queue. They rest in IndexedDB, which takes large things, so
// that a page that is left without a network loses none; where browsers refuse that, they live as long
// as the page.

const NAME = "caiwen";
const STORE = "files";
//: A file without a message may be on its way to one, in another tab.
const ORPHAN_MS = 60_000;

function opened() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

export class Shelf {
  /** `space` keeps the people of one computer apart. */
  constructor(space) {
    this.space = space;
    this.memory = new Map();
    this.database = null;
  }

  /** Keeps a file; resolves when it rests, as safely as the browser lets it. */
  async put(id, file) {
    this.memory.set(id, file);
    try {
      // Not the file itself: a file on disk may change or go before it leaves.
      const bytes = await file.arrayBuffer();
      await this.run("readwrite", (store) =>
        store.put({ bytes, name: file.name || "", type: file.type, at: Date.now() }, this.space + id),
      );
    } catch {
      // Refused or full: it stays in memory.
    }
  }

  /** The file, or nothing when it is not here. */
  async get(id) {
    const known = this.memory.get(id);
    if (known) return known;
    try {
      const kept = await this.run("readonly", (store) => store.get(this.space + id));
      return kept && new File([kept.bytes], kept.name, { type: kept.type });
    } catch {
      return undefined;
    }
  }

  async remove(id) {
    this.memory.delete(id);
    try {
      await this.run("readwrite", (store) => store.delete(this.space + id));
    } catch {
      // It rested nowhere but in memory.
    }
  }

  /** Lets go of what waits for no message any more; `ids` are those that still wait. */
  async sweep(ids) {
    try {
      const range = IDBKeyRange.bound(this.space, `${this.space}\uffff`);
      for (const key of await this.run("readonly", (store) => store.getAllKeys(range))) {
        const id = key.slice(this.space.length);
        if (ids.includes(id)) continue;
        const kept = await this.run("readonly", (store) => store.get(key));
        if (kept && Date.now() - kept.at > ORPHAN_MS) await this.remove(id);
      }
    } catch {
      // Nothing rests here then.
    }
  }

  /** What a request gives, when its transaction is on disk. */
  async run(mode, ask) {
    this.database = this.database || opened();
    const transaction = (await this.database).transaction(STORE, mode);
    return new Promise((resolve, reject) => {
      const request = ask(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
  }
}
