// What is judged and what came before it: the tickets' facts, the talk, and the reply or the two replies. Nothing here can be changed.

import { h, kbd, words } from "./dom.js";

export function facts(task) {
  const many = task.facts.length > 1;
  return h("section", { class: "facts", "aria-label": "What the hotel may know" }, task.facts.map((ticket) => ticketFacts(ticket, many)));
}

function ticketFacts(ticket, many) {
  const known = [
    ["Today", ticket.current],
    ["Elsewhere", ticket.competitor],
    ["With", ticket.extras],
  ].filter(([, text]) => text);
  return h(
    "div",
    { class: "ticket" },
    h("h3", {}, many && h("b", { class: "number" }, String(ticket.label)), h("span", {}, ticket.room), h("small", {}, ticket.dates)),
    h("dl", {}, known.map(([name, text]) => h("div", {}, h("dt", {}, name), h("dd", {}, text)))),
    ticket.evidence.length > 0 && h("ul", {}, ticket.evidence.map((line) => h("li", {}, line))),
  );
}

export function talk(task) {
  const before = task.kind === "dialogue" ? "The whole conversation" : "The conversation so far";
  const lines = task.lines.map((line) => bubble(line));
  return h(
    "section",
    { class: "talk", "aria-label": before, tabindex: "0", lang: task.language },
    lines.length ? h("div", { class: "lines" }, lines) : h("p", { class: "nothing" }, "Nothing was said yet: this reply opens the conversation."),
  );
}

function bubble(line) {
  const ours = line.speaker === "bd";
  return h(
    "article",
    { class: ours ? "line us" : "line them" },
    h("h4", {}, ours ? "Us" : "Hotel"),
    line.text.trim() ? words(line.text) : h("p", { class: "silent" }, "No answer"),
  );
}

export function reply(task, perform) {
  return h(
    "section",
    { class: "reply", "aria-label": "The reply to judge" },
    h(
      "header",
      {},
      h("h2", { tabindex: "-1", class: "judged" }, "The reply to judge"),
      h("span", { class: "meant" }, task.meant && `meant to ${task.meant}`),
      task.stage && h("span", { class: "chip" }, task.stage),
      h("button", { type: "button", class: "quiet", onclick: () => perform("text", "rewrite") }, kbd("r"), h("span", {}, "Rewrite")),
      task.turn_id && h("button", { type: "button", class: "quiet", onclick: () => perform("case") }, kbd("x"), h("span", {}, "Bad case")),
    ),
    words(task.replies[0], { class: "text", lang: task.language }),
  );
}

export function pair(task, perform) {
  const sides = [
    ["first", "←", "Left"],
    ["second", "→", "Right"],
  ];
  return h(
    "div",
    { class: "pair", role: "radiogroup", "aria-label": "Which reply is better?" },
    sides.map(([side, key, name], place) =>
      h(
        "button",
        { class: "reply choice", type: "button", role: "radio", "aria-checked": "false", dataset: { side }, onclick: () => perform("prefer", side) },
        h("header", {}, kbd(key), h("b", {}, `${name} reply`), h("span", { class: "tick", "aria-hidden": "true" }, "✓ better")),
        words(task.replies[place], { class: "text", lang: task.language }),
      ),
    ),
  );
}

// Where a dispute is decided: what the others said, without their names.
export function opinions(task, vocabulary, said) {
  if (!task.adjudication.length) return null;
  return h(
    "section",
    { class: "opinions", "aria-label": "What the others said" },
    h("h3", {}, "They differ; you decide"),
    h("ol", {}, task.adjudication.map((judgement) => h("li", {}, said(task, judgement, vocabulary)))),
  );
}
