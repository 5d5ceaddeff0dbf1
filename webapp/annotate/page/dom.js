// Elements out of plain calls. Text only ever becomes a text node, so nothing that a hotel or a model wrote can become markup.

export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "dataset") Object.assign(element.dataset, value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
  return element;
}

export function kbd(key) {
  return h("kbd", { "aria-hidden": "true" }, key);
}

// A text in any language, with its own direction.
export function words(text, props = {}) {
  return h("p", { dir: "auto", ...props }, text);
}

export function stars(number) {
  return h("span", { class: "stars", "aria-hidden": "true" }, "★".repeat(number), h("i", {}, "★".repeat(5 - number)));
}

export function count(number, one, many = one + "s") {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

export function sentence(text) {
  const trimmed = text.trim();
  return trimmed && trimmed[0].toUpperCase() + trimmed.slice(1) + (/[.!?…]$/.test(trimmed) ? "" : ".");
}
