// Draws what answers are made of: text with links and icons, steps, tables, remarks, pictures.

import { el, icon } from "./dom.js";
import { say } from "./phrases.js";

//: Where a small picture acts as a word, the importer leaves this.
const ICON = "[图标]";
const LINK = /https?:\/\/[^\s<>"'`，。；：！？、（）《》【】“”‘’]+/g;
//: Punctuation that ends a sentence, not an address.
const AFTER_LINK = /[.,;:!?)\]}]+$/;
const SHA256 = /^[0-9a-f]{64}$/;
//: Longer texts are folded; the whole stands behind one button.
const FOLD_CHARS = 600;
const FOLD_LINES = 14;

/** An address that may be followed or loaded: http, https, or a path on this server; else null. */
export function safeUrl(url, root) {
  if (typeof url !== "string") return null;
  if (/^\/(?![/\\])/.test(url)) return root + url;
  try {
    const parsed = new URL(url);
    return ["http:", "https:"].includes(parsed.protocol) ? parsed.href : null;
  } catch {
    return null;
  }
}

/** Text nodes and links. */
export function linked(text) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(LINK)) {
    const shown = match[0].replace(AFTER_LINK, "");
    const href = safeUrl(shown, "");
    if (!href) continue;
    nodes.push(text.slice(from, match.index));
    nodes.push(el("a", { href, target: "_blank", rel: "noopener noreferrer nofollow" }, shown));
    from = match.index + shown.length;
  }
  nodes.push(text.slice(from));
  return nodes;
}

/** A text with its pictures-as-words; `icons` is an iterator shared by all cells of a table. */
function rich(text, icons, root) {
  const pieces = String(text || "").split(ICON);
  return pieces.flatMap((piece, n) => {
    const nodes = linked(piece);
    if (n < pieces.length - 1) nodes.push(inlineIcon(icons.next().value, root));
    return nodes;
  });
}

function inlineIcon(image, root) {
  const src = image && imageUrl(image, root);
  if (!src) return ICON;
  return el("img", { class: "inline-icon", src, alt: image.caption || say("image.icon") });
}

export function imageUrl(image, root) {
  if (image.url) return safeUrl(image.url, root);
  return SHA256.test(image.sha256) ? `${root}/media/${image.sha256}` : null;
}

/** A message's text: as written, links live, folded when long. */
export function plain(text) {
  const whole = el("div", { class: "text" }, linked(text));
  if (text.length <= FOLD_CHARS && text.split("\n").length <= FOLD_LINES) return whole;
  whole.classList.add("folded");
  const button = el("button", { class: "link", type: "button", "aria-expanded": "false" });
  const label = () => {
    const open = !whole.classList.contains("folded");
    button.textContent = open ? say("text.fold") : say("text.unfold", { count: text.length });
    button.setAttribute("aria-expanded", String(open));
  };
  button.addEventListener("click", () => {
    whole.classList.toggle("folded");
    label();
  });
  label();
  return el("div", {}, whole, button);
}

/** All blocks of an answer. `enlarge(image, opener)` is called when a picture is touched. */
export function blocks(list, { root, enlarge }) {
  const nodes = [];
  let steps = null;
  for (const block of list) {
    if (block.kind === "step") {
      if (!steps) nodes.push((steps = el("ul", { class: "steps" })));
      steps.appendChild(step(block, root));
      continue;
    }
    // A picture between two steps belongs to the step before it.
    if (block.kind === "image" && steps) {
      const drawn = picture(block, root, enlarge);
      if (drawn) steps.lastChild.lastChild.appendChild(drawn);
      continue;
    }
    steps = null;
    nodes.push(oneBlock(block, root, enlarge));
  }
  return nodes;
}

function oneBlock(block, root, enlarge) {
  const icons = (block.icons || [])[Symbol.iterator]();
  switch (block.kind) {
    case "table":
      return table(block, icons, root);
    case "callout":
      return callout(block, icons, root);
    case "image":
      return picture(block, root, enlarge);
    default:
      return el(
        "p",
        { class: "paragraph" },
        block.label && el("strong", { class: "label" }, block.label),
        rich(block.text, icons, root),
      );
  }
}

function step(block, root) {
  const icons = (block.icons || [])[Symbol.iterator]();
  const printed = String(block.number || "").trim();
  const digits = /^[（(]?(\d{1,3})[)）.、．]?$/.exec(printed);
  const mark = digits
    ? el("span", { class: "number" }, digits[1])
    : el("span", { class: "mark" }, printed || "•");
  return el("li", {}, mark, el("div", { class: "step" }, rich(block.text, icons, root)));
}

function table(block, icons, root) {
  const head = block.header_rows === undefined ? 1 : block.header_rows;
  const rows = (block.rows || []).map((cells, n) => {
    const tag = n < head ? "th" : "td";
    const props = n < head ? { scope: "col" } : {};
    return el("tr", {}, cells.map((cell) => el(tag, props, rich(cell, icons, root))));
  });
  const name = block.caption || say("table.name");
  return el(
    "div",
    { class: "table", role: "region", tabindex: "0", "aria-label": name },
    el(
      "table",
      {},
      block.caption && el("caption", {}, block.caption),
      el("thead", {}, rows.slice(0, head)),
      el("tbody", {}, rows.slice(head)),
    ),
  );
}

const CALLOUTS = ["note", "tip", "warning", "danger", "details"];

function callout(block, icons, root) {
  const kind = CALLOUTS.includes(block.callout) ? block.callout : "note";
  const title = block.title || say(`callout.${kind}`);
  const text = el("div", { class: "text" }, rich(block.text, icons, root));
  if (kind === "details") {
    return el("details", { class: "callout details" }, el("summary", {}, title), text);
  }
  const mark = kind === "warning" || kind === "danger" ? "warning" : "info";
  return el(
    "div",
    { class: `callout ${kind}`, role: "note" },
    el("strong", {}, icon(mark), title),
    text,
  );
}

/** A picture that opens large; a broken one says so. */
export function picture(image, root, enlarge) {
  const src = imageUrl(image, root);
  if (!src) return null;
  const caption = image.caption || "";
  const img = el("img", {
    src,
    alt: caption || image.name || say("image.screenshot"),
    width: image.width || null,
    height: image.height || null,
    loading: "lazy",
    decoding: "async",
  });
  const label = say("image.enlarge", { name: caption || say("image.screenshot") });
  const button = el("button", { class: "enlarge", type: "button", "aria-label": label }, img);
  button.addEventListener("click", () => enlarge({ src, caption, alt: img.alt }, button));
  const figure = el("figure", {}, button, caption && el("figcaption", {}, caption));
  img.addEventListener("error", () => {
    button.replaceWith(el("p", { class: "broken" }, say("image.broken")));
  });
  return figure;
}
