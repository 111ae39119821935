// Words for people, from the catalogue that the server put into the page.

const words = JSON.parse(document.getElementById("phrases").textContent);

/** The text of a key with its named placeholders filled. */
export function say(key, values = {}) {
  const text = words[key];
  if (text === undefined) return key;
  return text.replace(/\{(\w+)\}/g, (whole, name) =>
    Object.prototype.hasOwnProperty.call(values, name) ? String(values[name]) : whole,
  );
}
