// Builds elements. Data only ever becomes text nodes and attributes, never markup.

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element with properties and children.
 * `props`: `class`, `on` (listeners by event), `hidden`/`disabled`/… (DOM properties that are
 * booleans), anything else an attribute; null and undefined are left out.
 */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined) continue;
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    } else if (name === "class") node.className = value;
    else if (typeof value === "boolean") node[name] = value;
    else node.setAttribute(name, String(value));
  }
  append(node, children);
  return node;
}

/** Appends nodes and texts; nested lists are flattened, empty values skipped. */
export function append(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === "" || child === false) continue;
    node.appendChild(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}

export function clear(node) {
  while (node.firstChild) node.removeChild(node.firstChild);
  return node;
}

/** Line icons on a 24 px grid; the path data is ours and constant. */
const ICONS = {
  headset:
    "M4 14v-2a8 8 0 0 1 16 0v2M4 14a2 2 0 0 1 2-2h1v6H6a2 2 0 0 1-2-2zM20 14a2 2 0 0 0-2-2h-1v6h1a2 2 0 0 0 2-2zM20 16v1a3 3 0 0 1-3 3h-4",
  close: "M6 6l12 12M18 6L6 18",
  minimise: "M6 10l6 6 6-6",
  send: "M4 12l16-8-6 16-3-7z M11 13l9-9",
  book: "M5 4h10a3 3 0 0 1 3 3v13H8a3 3 0 0 1-3-3zM5 17a3 3 0 0 1 3-3h10",
  shield: "M12 3l7 3v5c0 5-3 8-7 10-4-2-7-5-7-10V6zM9 12l2 2 4-4",
  up: "M7 11v9H4v-9zM7 11l4-7a2 2 0 0 1 2 2v4h5a2 2 0 0 1 2 2.3l-1.2 6A2 2 0 0 1 16.800 20H7",
  down: "M17 13V4h3v9zM17 13l-4 7a2 2 0 0 1-2-2v-4H6a2 2 0 0 1-2-2.300l1.200-6A2 2 0 0 1 7.200 4H17",
  ticket: "M4 7h16v4a2 2 0 0 0 0 4v3H4v-3a2 2 0 0 0 0-4zM14 7v2M14 12v2M14 16v2",
  clock: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v5l3 2",
  check: "M5 12l5 5 9-10",
  star: "M12 3.500l2.600 5.400 5.900.8-4.300 4.100 1 5.900-5.200-2.800-5.200 2.800 1-5.900-4.300-4.100 5.900-.8z",
  info: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 11v5M12 8v.1",
  warning: "M12 4l9 16H3zM12 10v4M12 17v.1",
  left: "M15 5l-7 7 7 7",
  right: "M9 5l7 7-7 7",
  clip: "M8 12l6-6a3 3 0 0 1 4.500 4.500l-8 8a5 5 0 0 1-7-7l7.500-7.500",
  file: "M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6",
  latest: "M12 5v13M6 12l6 6 6-6",
  offline: "M3 4l18 16M5 12a10 10 0 0 1 4-2.400M15 9.500a10 10 0 0 1 4 2.500M8.500 15.500a5 5 0 0 1 7 0M12 19v.1",
};

/** A decorative icon, hidden from assistive technology. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("focusable", "false");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.appendChild(path);
  return svg;
}
