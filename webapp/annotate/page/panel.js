// What a person says of a task. Built once a task; ``paint`` shows the judgement as it changes, so that no text field loses its place.

import { h, kbd, stars } from "./dom.js";

const SEVERITY_LEVEL = { minor: 1, major: 2, severe: 3 };

export function panel(task, vocabulary, longest, perform) {
  const parts =
    task.kind === "comparison"
      ? [strength(vocabulary, perform), text("comment", "c", "Comment", "What tipped it? (if you like)", longest.comment, perform)]
      : [
          starRows(task, vocabulary, perform),
          excellent(perform),
          task.kind === "dialogue" && outcome(vocabulary, longest, perform),
          faults(vocabulary, perform),
          text("comment", "c", "Comment", "Anything worth saying (if you like)", longest.comment, perform),
        ];
  return parts.filter(Boolean);
}

function starRows(task, vocabulary, perform) {
  const rows = vocabulary.anchors[task.kind].toReversed().map((anchor) =>
    h(
      "button",
      {
        type: "button",
        role: "radio",
        class: "anchor",
        "aria-checked": "false",
        "aria-label": `${anchor.stars} of 5, ${anchor.name}: ${anchor.means}`,
        dataset: { stars: anchor.stars },
        onclick: () => perform("stars", anchor.stars),
      },
      kbd(String(anchor.stars)),
      h("span", { class: "means" }, h("b", {}, anchor.name), " ", h("small", {}, anchor.means)),
      stars(anchor.stars),
    ),
  );
  return h("section", { class: "block", dataset: { field: "stars" }, role: "radiogroup", "aria-label": "Stars" }, rows);
}

function excellent(perform) {
  return h(
    "button",
    { type: "button", class: "excellent", "aria-pressed": "false", dataset: { excellent: "" }, onclick: () => perform("excellent") },
    kbd("e"),
    h("span", {}, h("b", {}, "Excellent"), " ", h("small", {}, "an example to learn from")),
  );
}

function faults(vocabulary, perform) {
  const chips = vocabulary.faults.map((fault) =>
    h(
      "button",
      { type: "button", class: "fault", title: fault.means, dataset: { tag: fault.tag, name: fault.name }, onclick: () => perform("tag", fault.tag) },
      kbd(fault.key),
      h("span", {}, fault.name),
      h("i", { class: "level", "aria-hidden": "true" }),
    ),
  );
  return h(
    "section",
    { class: "block", "aria-label": "Faults" },
    h("h3", {}, "What is wrong?", h("small", {}, "press again for more severe")),
    h("div", { class: "faults" }, chips),
  );
}

function strength(vocabulary, perform) {
  const buttons = vocabulary.strengths.map(({ value, key, name }) =>
    h(
      "button",
      { type: "button", role: "radio", "aria-checked": "false", dataset: { strength: value }, onclick: () => perform("strength", Number(value)) },
      kbd(key),
      h("span", {}, name),
    ),
  );
  return h(
    "section",
    { class: "block verdict" },
    h("div", { class: "segments", role: "radiogroup", "aria-label": "How much better?", dataset: { field: "strength" } }, buttons),
    h(
      "button",
      { type: "button", class: "tie", "aria-pressed": "false", dataset: { tie: "" }, onclick: () => perform("prefer", "tie") },
      kbd("t"),
      h("span", {}, "A tie"),
    ),
  );
}

function outcome(vocabulary, longest, perform) {
  const buttons = vocabulary.outcomes.map(({ value, key, name }) =>
    h(
      "button",
      { type: "button", role: "radio", "aria-checked": "false", dataset: { outcome: value }, onclick: () => perform("outcome", value) },
      kbd(key),
      h("span", {}, name),
    ),
  );
  return h(
    "section",
    { class: "block" },
    h("h3", {}, "How did it end?"),
    h("div", { class: "segments", role: "radiogroup", "aria-label": "How did it end?", dataset: { field: "outcome" } }, buttons),
    text("decided_by", "x", "What decided it?", "The move or the message that made the difference", longest.comment, perform),
  );
}

export function text(field, key, label, hint, longest, perform, props = {}) {
  const id = `desk-${field}`;
  return h(
    "div",
    { class: `text ${field}`, ...props },
    h("label", { for: id }, kbd(key), label),
    h("textarea", {
      id,
      rows: field === "rewrite" ? 4 : 2,
      maxlength: longest,
      placeholder: hint,
      dir: "auto",
      dataset: { text: field },
      oninput: (event) => perform("typed", field, event.target.value),
    }),
  );
}

// Show a judgement on the elements of its task.
export function paint(root, judgement) {
  const check = (selector, of, attribute = "aria-checked") => {
    for (const element of root.querySelectorAll(selector)) element.setAttribute(attribute, String(of(element.dataset)));
  };
  check("[data-stars]", (data) => Number(data.stars) === judgement.stars);
  check("[data-excellent]", () => judgement.excellent, "aria-pressed");
  check("[data-side]", (data) => data.side === judgement.preferred);
  check("[data-strength]", (data) => Number(data.strength) === judgement.strength);
  check("[data-tie]", () => judgement.preferred === "tie", "aria-pressed");
  check("[data-outcome]", (data) => data.outcome === judgement.outcome);
  for (const chip of root.querySelectorAll("[data-tag]")) {
    const severity = judgement.tags[chip.dataset.tag];
    chip.dataset.severity = severity ?? "";
    chip.setAttribute("aria-pressed", String(Boolean(severity)));
    chip.setAttribute("aria-label", severity ? `${chip.dataset.name}, ${severity}` : chip.dataset.name);
    chip.querySelector(".level").textContent = severity ? "●".repeat(SEVERITY_LEVEL[severity]) : "";
  }
  for (const field of root.querySelectorAll("[data-text]")) {
    const value = judgement[field.dataset.text] ?? "";
    if (field.value !== value) field.value = value;
    if (field.dataset.text === "rewrite") field.closest(".rewrite").hidden = judgement.rewrite === null;
  }
}

// A judgement in one line, for whoever decides between several.
export function said(task, judgement, vocabulary) {
  const names = Object.fromEntries(vocabulary.faults.map(({ tag, name }) => [tag, name]));
  const strengths = Object.fromEntries(vocabulary.strengths.map(({ value, name }) => [Number(value), name.toLowerCase()]));
  const sides = { first: "Left", second: "Right", tie: "A tie" };
  const verdict = judgement.stars
    ? [stars(judgement.stars), h("span", { class: "hidden" }, `${judgement.stars} of 5`)]
    : [h("b", {}, sides[judgement.preferred] ?? ""), judgement.strength ? ` ${strengths[judgement.strength]}` : ""];
  const tags = judgement.tags.map(({ tag, severity }) => h("span", { class: "chip bad" }, `${names[tag] ?? tag}, ${severity}`));
  return [h("div", {}, verdict, " ", tags), judgement.comment && h("p", { dir: "auto" }, judgement.comment)];
}
