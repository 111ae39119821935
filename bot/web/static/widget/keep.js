// What outlives the page: one person's conversation, queue and choices, in the browser's storage.
//
// Browsers may refuse storage inside a frame of another site; then the host page keeps it for us. When
// there is none at all, or it is full, things live in memory until the page is left. Each person of a
// shared computer has a space of their own.

/** A short, stable name for a person as the host page describes them. Not a secret. */
export function spaceOf(user) {
  const told = user.id || [user.name, user.unit, user.phone].filter(Boolean).join("|");
  let hash = 0x811c9dc5;
  for (const character of String(told)) {
    hash = Math.imul(hash ^ character.codePointAt(0), 0x01000193) >>> 0;
  }
  return told ? hash.toString(36) : "anyone";
}

/** The browser's own storage, or null where it is refused. */
export function browserStorage() {
  try {
    const storage = window.localStorage;
    storage.setItem("caiwen:probe", "1");
    storage.removeItem("caiwen:probe");
    return storage;
  } catch {
    return null;
  }
}

/** The host page's storage behind the same interface: a copy here, every change told there. */
export class HostStorage {
  constructor(kept, tell) {
    this.entries = new Map(Object.entries(kept));
    this.tell = tell;
  }

  get length() {
    return this.entries.size;
  }

  key(n) {
    return [...this.entries.keys()][n];
  }

  getItem(key) {
    return this.entries.has(key) ? this.entries.get(key) : null;
  }

  setItem(key, value) {
    this.entries.set(key, value);
    this.tell(key, value);
  }

  removeItem(key) {
    this.entries.delete(key);
    this.tell(key, null);
  }

  /** Another page of the host changed it. */
  changed(key, value) {
    if (value === null) this.entries.delete(key);
    else this.entries.set(key, String(value));
  }
}

export class Keep {
  constructor(space, storage) {
    this.space = `caiwen:${space}:`;
    this.storage = storage;
    this.memory = new Map();
  }

  /** Whether other tabs see it at once: only the browser's own storage is quick enough for that. */
  get shared() {
    return Boolean(this.storage) && !(this.storage instanceof HostStorage);
  }

  get(key) {
    const raw = this.memory.has(key)
      ? this.memory.get(key)
      : this.storage && this.storage.getItem(this.space + key);
    if (raw === null || raw === undefined) return null;
    try {
      return JSON.parse(raw);
    } catch {
      return null;
    }
  }

  set(key, value) {
    const raw = JSON.stringify(value);
    try {
      if (!this.storage) throw new Error("no storage");
      this.storage.setItem(this.space + key, raw);
      this.memory.delete(key);
    } catch {
      this.memory.set(key, raw);
    }
  }

  remove(key) {
    this.memory.delete(key);
    if (this.storage) this.storage.removeItem(this.space + key);
  }

  /** Keys that begin with `start`, sorted. */
  keys(start) {
    const found = new Set([...this.memory.keys()].filter((key) => key.startsWith(start)));
    for (let n = 0; this.storage && n < this.storage.length; n += 1) {
      const key = this.storage.key(n);
      if (key.startsWith(this.space + start)) found.add(key.slice(this.space.length));
    }
    return [...found].sort();
  }
}
