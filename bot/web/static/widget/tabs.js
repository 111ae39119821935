// One event stream for all tabs that show the same conversation.
//
// A browser opens only six connections to a server, and every stream holds one. One tab leads: it
// holds the stream and passes news on. The lease is in storage and short; a tab that sleeps loses
// it. Two leaders for a moment do no harm, because messages are drawn once by their number.

const TICK_MS = 2_000;
const LEASE_MS = 6_000;

function randomName() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Null where the browser has none or refuses it; every tab then leads for itself. */
function channelOf(name) {
  try {
    return new BroadcastChannel(name);
  } catch {
    return null;
  }
}

export class Tabs {
  /** `onLead()` and `onFollow()` when the role changes; `onNews(news)` from other tabs. */
  constructor(keep, { onLead, onFollow, onNews }) {
    Object.assign(this, { keep, onLead, onFollow, onNews });
    this.name = randomName();
    this.leading = null;
    this.channel = keep.shared ? channelOf(keep.space) : null;
    if (this.channel) this.channel.onmessage = ({ data }) => this.hear(data);
  }

  start() {
    this.stop();
    this.timer = setInterval(() => this.tick(), TICK_MS);
    this.tick();
  }

  /** Gives the lead up, so that another tab takes it at once. */
  stop() {
    clearInterval(this.timer);
    this.timer = null;
    if (this.channel && this.leading && this.held(this.lease())) {
      this.keep.remove("lead");
      this.post({ kind: "vacant" });
    }
    this.become(null);
  }

  post(news) {
    if (this.channel) this.channel.postMessage({ ...news, from: this.name });
  }

  lease() {
    return this.keep.get("lead");
  }

  held(lease) {
    return Boolean(lease) && lease.tab === this.name;
  }

  tick() {
    if (!this.channel) {
      this.become(true);
      return;
    }
    const lease = this.lease();
    const now = Date.now();
    // A lease from the future is a clock that was set back: it counts as expired.
    const free = !lease || lease.until < now || lease.until > now + LEASE_MS;
    if (!free && !this.held(lease)) {
      this.become(false);
      return;
    }
    this.keep.set("lead", { tab: this.name, until: now + LEASE_MS });
    if (!this.leading) this.post({ kind: "lead" });
    this.become(true);
  }

  become(leading) {
    if (this.leading === leading) return;
    const before = this.leading;
    this.leading = leading;
    if (leading) this.onLead();
    else if (before !== null || leading === false) this.onFollow();
  }

  hear(news) {
    if (!news || news.from === this.name) return;
    if (news.kind === "vacant") {
      if (this.leading === false) setTimeout(() => this.timer && this.tick(), Math.random() * 200);
    } else if (news.kind === "lead") {
      if (this.leading && !this.held(this.lease())) this.become(false);
    } else this.onNews(news);
  }
}
