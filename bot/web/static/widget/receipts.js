// Tells the server how far an engineer's messages have come: into this page, and before its reader.

export class Receipts {
  /** `send({received, read})` gives a promise; what it refuses is told again with the next news. */
  constructor(send) {
    this.send = send;
    this.forget();
  }

  forget() {
    this.told = { received: 0, read: 0 };
  }

  /** `messages` are those of others, `seen` whether the page is in front of somebody. */
  tell(messages, seen) {
    const { told } = this;
    const engineers = messages.filter(({ sender }) => sender === "engineer");
    const received = engineers.reduce((most, { seq }) => Math.max(most, seq), told.received);
    const read = seen ? received : told.read;
    if (received === told.received && read === told.read) return;
    this.told = { received, read };
    this.send(this.told).catch(() => { this.told = told; });
  }
}
