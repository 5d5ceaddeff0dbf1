// Which key does what. The sheet that people see and the handler that acts read the same list.

const UNIVERSAL = [
  { key: "Ctrl+Enter", name: "Save and go on", act: ["save"], group: "Go on" },
  { key: "s", name: "Skip, with a reason", act: ["skip"], group: "Go on" },
  { key: "u", name: "Take the last save or skip back", act: ["undo"], group: "Go on" },
  { key: ",", name: "Look at what you judged before", act: ["look", -1], group: "Go on" },
  { key: ".", name: "Forward again", act: ["look", 1], group: "Go on" },
  { key: "Escape", name: "Leave a text, close this sheet", act: ["leave"], group: "Go on" },
  { key: "ArrowUp", shown: "↑ ↓", name: "Scroll the conversation", act: ["scroll", -1], group: "Go on" },
  { key: "ArrowDown", hidden: true, name: "Scroll the conversation", act: ["scroll", 1], group: "Go on" },
  { key: "?", name: "This sheet", act: ["sheet"], group: "Go on" },
];

export function bindings(kind, vocabulary, { cases = false } = {}) {
  const comment = { key: "c", name: "Comment", act: ["text", "comment"], group: "Judge" };
  if (kind === "comparison") {
    return [
      { key: "ArrowLeft", shown: "←", name: "The left reply is better", act: ["prefer", "first"], group: "Judge" },
      { key: "ArrowRight", shown: "→", name: "The right reply is better", act: ["prefer", "second"], group: "Judge" },
      { key: "t", name: "A tie", act: ["prefer", "tie"], group: "Judge" },
      ...vocabulary.strengths.map(({ key, name, value }) => ({ key, name, act: ["strength", Number(value)], group: "Judge" })),
      comment,
      ...UNIVERSAL,
    ];
  }
  const anchors = vocabulary.anchors[kind] ?? vocabulary.anchors.turn;
  const judged = [
    ...anchors.map(({ stars, name }) => ({ key: String(stars), name, act: ["stars", stars], group: "Judge" })),
    { key: "e", name: "Excellent: an example to learn from", act: ["excellent"], group: "Judge" },
    comment,
  ];
  if (kind === "dialogue") {
    judged.push(...vocabulary.outcomes.map(({ key, name, value }) => ({ key, name, act: ["outcome", value], group: "Judge" })));
    judged.push({ key: "x", name: "What decided it", act: ["text", "decided_by"], group: "Judge" });
  } else {
    judged.push({ key: "r", name: "Rewrite: what you would have said", act: ["text", "rewrite"], group: "Judge" });
    if (cases) judged.push({ key: "x", name: "Make it a bad case, in a new window", act: ["case"], group: "Judge" });
  }
  const faults = vocabulary.faults.map(({ key, name, tag }) => ({ key, name, act: ["tag", tag], group: "Faults (again: more severe)" }));
  return [...judged, ...faults, ...UNIVERSAL];
}

// The key by what it writes; by its place where the keyboard writes no Latin letters, or wants Shift for digits.
export function keyOf(event) {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) return "Ctrl+Enter";
  if (event.ctrlKey || event.metaKey || event.altKey) return "";
  if (/^[a-z0-9?,.]$/i.test(event.key)) return event.key.toLowerCase();
  if (event.key.length > 1) return event.key;
  return /^(?:Digit([0-9])|Key([A-Z]))$/.exec(event.code)?.slice(1).find(Boolean)?.toLowerCase() ?? event.key;
}

export function isTyping(target) {
  return target instanceof HTMLElement && (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName));
}

export function isPressable(target) {
  return target instanceof HTMLElement && target.closest("button, a, summary, [role=button], [role=option]") !== null;
}
