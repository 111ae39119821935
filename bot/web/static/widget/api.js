// The helpdesk's HTTP API. Tokens travel in the Authorization header, never in an address.

import { say } from "./phrases.js";

/** A refusal by the server; `title` and `detail` are words for people. */
export class Problem extends Error {
  constructor(status, body, retryAfterS) {
    super(`refused with ${status}`);
    this.status = status;
    this.title = typeof body.title === "string" ? body.title : "";
    this.detail = typeof body.detail === "string" ? body.detail : "";
    this.retryAfterS = retryAfterS;
  }

  /** The conversation does not exist (any more), or the token does not open it. */
  get gone() {
    return this.status === 404 || this.status === 410;
  }

  /** Trying again may help. */
  get passing() {
    return this.status >= 500 || [408, 425, 429].includes(this.status);
  }
}

const TIMEOUT_MS = 20_000;
const UPLOAD_TIMEOUT_MS = 180_000;
//: What the server takes of a person, in characters.
const USER_LIMITS = { name: 80, unit: 120, region: 80, audience: 200, phone: 40 };

export class Api {
  constructor(root) {
    this.base = `${root}/api/v1/conversations`;
    this.widget = new URLSearchParams(location.search).get("key") || "";
  }

  /** Opens a conversation: `{id, token}`. */
  async open(user) {
    const told = {};
    for (const [name, limit] of Object.entries(USER_LIMITS)) {
      if (user[name]) told[name] = String(user[name]).trim().slice(0, limit);
    }
    const asked = { channel: "web", widget: this.widget, user: told };
    if (user.proof) asked.identity = user.proof;
    const body = await this.json("POST", "", null, asked);
    return { id: body.conversation_id, token: body.token };
  }

  /** Gives a conversation that began without a proof to the proven person. */
  prove(conversation, proof) {
    return this.json("POST", "/identity", conversation, { widget: this.widget, identity: proof });
  }

  messages(conversation, after) {
    return this.json("GET", `/messages?after=${after}`, conversation);
  }

  send(conversation, { id, text, action }) {
    const body = { client_msg_id: id, text };
    if (action) body.action = action;
    return this.json("POST", "/messages", conversation, body);
  }

  /** Sends a file and the words with it; `onProgress(share)` from 0 to 1. */
  upload(conversation, { id, text }, file, onProgress) {
    // Browsers that refuse storage lose the bytes of an unsent file with the page.
    if (!file) return Promise.reject(new Problem(422, { detail: say("file.lost") }));
    const form = new FormData();
    form.append("client_msg_id", id);
    form.append("text", text);
    form.append("file", file, file.name || "screenshot.png");
    return new Promise((resolve, reject) => {
      // Only this older way tells how far an upload is.
      const request = new XMLHttpRequest();
      request.open("POST", `${this.base}/${encodeURIComponent(conversation.id)}/attachments`);
      request.setRequestHeader("Authorization", `Bearer ${conversation.token}`);
      request.timeout = UPLOAD_TIMEOUT_MS;
      request.upload.onprogress = ({ loaded, total }) => onProgress(total ? loaded / total : 0);
      request.onload = () => {
        let body = {};
        try {
          body = JSON.parse(request.responseText) || {};
        } catch {
          // A proxy's error page: the status says enough.
        }
        const wait = Number(request.getResponseHeader("Retry-After"));
        if (request.status < 300) resolve(body);
        else reject(new Problem(request.status, body, wait > 0 ? Math.min(wait, 300) : 0));
      };
      request.onerror = request.ontimeout = () => reject(new Error("no answer"));
      request.send(form);
    });
  }

  /** The bytes of a file of the conversation. */
  async file(conversation, id) {
    const path = `/attachments/${encodeURIComponent(id)}`;
    return (await this.request("GET", path, conversation, { cache: "default" })).blob();
  }

  typing(conversation) {
    return this.json("POST", "/typing", conversation);
  }

  seen(conversation, told) {
    return this.json("POST", "/seen", conversation, told);
  }

  suggestions(conversation, text) {
    return this.json("GET", `/suggestions?q=${encodeURIComponent(text)}`, conversation);
  }

  /** The response of the event stream, its body unread. */
  async events(conversation, after, signal) {
    const headers = { Accept: "text/event-stream", "Last-Event-ID": String(after) };
    return this.request("GET", "/events", conversation, { headers, signal });
  }

  async json(method, path, conversation, body) {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), TIMEOUT_MS);
    try {
      const options = { signal: stop.signal };
      if (body !== undefined) {
        options.headers = { "Content-Type": "application/json" };
        options.body = JSON.stringify(body);
      }
      const response = await this.request(method, path, conversation, options);
      return response.status === 204 ? null : await response.json();
    } finally {
      clearTimeout(timer);
    }
  }

  async request(method, path, conversation, { headers = {}, ...options }) {
    const sent = { ...headers };
    if (conversation) sent.Authorization = `Bearer ${conversation.token}`;
    const address = conversation ? `/${encodeURIComponent(conversation.id)}${path}` : path;
    const response = await fetch(this.base + address, {
      method,
      headers: sent,
      cache: "no-store",
      credentials: "omit",
      ...options,
    });
    if (!response.ok) throw await problemOf(response);
    return response;
  }
}

async function problemOf(response) {
  let body = {};
  try {
    body = (await response.json()) || {};
  } catch {
    // A proxy's error page: the status says enough.
  }
  const wait = Number(response.headers.get("Retry-After"));
  return new Problem(response.status, body, wait > 0 ? Math.min(wait, 300) : 0);
}
