// One judgement while it is made: what a key does to it, what is still missing, and what is sent.

const SEVERITIES = ["minor", "major", "severe"];
const EXCELLENT_FROM = 4;

export function blank() {
  return { stars: null, excellent: false, tags: {}, comment: "", rewrite: null, preferred: null, strength: null, outcome: null, decided_by: "" };
}

// As the server tells of one that was taken back.
export function fromServer({ tags, ...fields }) {
  const known = Object.fromEntries(Object.keys(blank()).map((name) => [name, fields[name] ?? blank()[name]]));
  return { ...known, tags: Object.fromEntries(tags.map(({ tag, severity }) => [tag, severity])) };
}

export function isBlank(judgement) {
  return JSON.stringify(judgement) === JSON.stringify(blank());
}

export function setStars(judgement, stars) {
  judgement.stars = stars;
  if (stars < EXCELLENT_FROM) judgement.excellent = false;
}

// An excellent reply has four stars or more; marking one says so.
export function toggleExcellent(judgement) {
  judgement.excellent = !judgement.excellent;
  if (judgement.excellent && (judgement.stars ?? 0) < EXCELLENT_FROM) judgement.stars = 5;
}

// Off, minor, major, severe, off.
export function cycleTag(judgement, tag) {
  const next = SEVERITIES[SEVERITIES.indexOf(judgement.tags[tag]) + 1];
  if (next) judgement.tags[tag] = next;
  else delete judgement.tags[tag];
}

export function setPreferred(judgement, side) {
  judgement.preferred = side;
  judgement.strength = side === "tie" ? null : judgement.strength;
}

// The first thing that keeps a judgement from being saved: {field, say}; null where it is whole.
export function missing(kind, judgement) {
  if (kind === "comparison") {
    if (!judgement.preferred) return { field: "preferred", say: "Choose the better reply first: ← or →, or t for a tie." };
    if (judgement.preferred !== "tie" && !judgement.strength) return { field: "strength", say: "How much better? Press 1 to 4." };
    return null;
  }
  if (!judgement.stars) return { field: "stars", say: "Give stars first: press 1 to 5." };
  if (kind === "dialogue" && !judgement.outcome) return { field: "outcome", say: "How did it end? w won, l lost, o still open." };
  return null;
}

// What the route takes. A rewrite that says what the reply says is none.
export function toSend(task, judgement, seconds) {
  const text = (judgement.rewrite ?? "").trim();
  const sent = { comment: judgement.comment.trim(), seconds: Math.round(seconds * 10) / 10 };
  if (task.kind === "comparison") return { ...sent, preferred: judgement.preferred, strength: judgement.strength };
  Object.assign(sent, {
    stars: judgement.stars,
    excellent: judgement.excellent,
    tags: Object.entries(judgement.tags).map(([tag, severity]) => ({ tag, severity })),
  });
  if (task.kind === "dialogue") return { ...sent, outcome: judgement.outcome, decided_by: judgement.decided_by.trim() };
  return { ...sent, rewrite: text && text !== task.replies[0].trim() ? text : null };
}
