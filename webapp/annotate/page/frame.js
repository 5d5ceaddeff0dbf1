// What stands around a task: the bar with progress and the state of saving, the two columns, and the messages.

import { count, h, kbd, sentence } from "./dom.js";

const KINDS = { turn: "Reply", comparison: "Which is better?", dialogue: "Whole conversation" };

export class Frame {
  constructor(data, perform) {
    this.perform = perform;
    const button = (key, name, act, props = {}) =>
      h("button", { type: "button", class: "quiet", "aria-label": name, title: name, onclick: () => perform(act), ...props }, kbd(key), h("span", {}, name));
    this.title = h("div", { class: "title" });
    this.progress = h("span", { class: "progress" });
    this.state = h("span", { class: "state", role: "status" });
    this.mode = data.decides && h("button", { type: "button", class: "quiet", "aria-pressed": "false", onclick: () => perform("decide") }, "Disputes");
    this.trouble = h("div", { class: "trouble", role: "alert", hidden: true });
    this.stage = h("main", { class: "columns" });
    this.root = h(
      "div",
      { class: "desk" },
      h(
        "header",
        { class: "bar" },
        this.title,
        this.progress,
        this.state,
        h("nav", {}, this.mode, button("u", "Undo", "undo"), button("s", "Skip", "skip"), button("?", "Keys", "sheet")),
      ),
      this.trouble,
      this.stage,
    );
    this.focused = null;
    this.root.addEventListener("focusin", (event) => (this.focused = event.target));
    this.root.addEventListener("focusout", () => setTimeout(() => this.#forgetFocus()));
    this.message = h("p", { class: "message", role: "status" });
    this.gold = h("div", { class: "gold", role: "status", hidden: true });
  }

  // Left by the person; not where it was only taken out of the page.
  #forgetFocus() {
    if (this.root.isConnected && this.root.getRootNode().activeElement !== this.focused) this.focused = null;
  }

  showTask(task, { looking, left, right }) {
    this.title.replaceChildren(
      h("b", { title: task.hotel }, task.hotel),
      h("span", {}, `${KINDS[task.kind]} · ${task.language_name}`, h("span", { class: "queue" }, ` · ${task.queue}`)),
    );
    this.root.classList.toggle("looking", Boolean(looking));
    const back = looking && h("p", { class: "back" }, h("b", {}, `You judged this before (${looking}).`), " Save changes it; ", kbd("."), " goes on.");
    const save = h(
      "button",
      { type: "button", class: "save", onclick: () => this.perform("save") },
      h("span", {}, looking ? "Save the change" : "Save and next"),
      h("span", { class: "keys" }, kbd("Ctrl"), kbd("Enter")),
    );
    this.stage.dataset.kind = task.kind;
    this.stage.dataset.task = task.assignment_id;
    const talk = h("section", { class: "left" }, ...left.filter(Boolean));
    this.stage.replaceChildren(
      talk,
      h("aside", { class: "right" }, h("div", { class: "form" }, back || "", right.flat().filter(Boolean)), h("footer", {}, this.gold, this.message, save)),
    );
    if (task.kind !== "dialogue") this.#keepLastLines(talk.querySelector(".talk"));
  }

  // What was said last stands nearest to the reply, whatever opens beside it, until somebody scrolls back.
  #keepLastLines(talk) {
    let atEnd = true;
    let height = 0;
    talk.addEventListener("scroll", () => {
      if (talk.clientHeight === height) atEnd = talk.scrollTop + talk.clientHeight >= talk.scrollHeight - 8;
    });
    this.resizing?.disconnect();
    this.resizing = new ResizeObserver(() => {
      height = talk.clientHeight;
      if (atEnd) talk.scrollTop = talk.scrollHeight;
    });
    this.resizing.observe(talk);
    talk.scrollTop = talk.scrollHeight;
  }

  showNothing({ loading, deciding }) {
    this.title.replaceChildren(h("b", {}, deciding ? "Disputes" : "Rating"));
    delete this.stage.dataset.task;
    this.stage.dataset.kind = "nothing";
    const [head, advice] = loading
      ? ["Getting the next one …", ""]
      : deciding
        ? ["No disputes wait", "Where raters differ by more than a queue allows, the item comes here for you to decide."]
        : ["Nothing to judge right now", "New items appear here by themselves. You can still press u to take your last one back."];
    this.stage.replaceChildren(h("div", { class: "empty" }, h("h2", { class: "judged", tabindex: "-1" }, head), h("p", {}, advice), this.message));
  }

  showProgress({ judged_today, waiting }) {
    const more = waiting >= 1000 ? "1,000+ waiting" : waiting ? `${waiting.toLocaleString("en")} waiting` : "none waiting";
    this.progress.replaceChildren(h("b", {}, judged_today.toLocaleString("en")), ` today · ${more}`);
  }

  showState(outbox, lasting) {
    const many = outbox.pending > 1 ? ` (${outbox.pending})` : "";
    const states = {
      ready: "",
      saving: `Saving …${many}`,
      saved: "✓ Saved",
      trying: `Not saved yet – trying again …${many}`,
      signedOut: "Not saved yet – your sign-in has ended",
    };
    this.state.dataset.state = outbox.state;
    this.state.title = outbox.state === "trying" && lasting ? "Kept in this browser until the server has it. You can go on." : "";
    this.state.replaceChildren(states[outbox.state]);
    if (outbox.state === "signedOut") {
      this.state.append(" ", h("a", { href: "/login?next=/rate", target: "_blank", rel: "opener" }, "Sign in"));
    }
  }

  showTrouble(failure) {
    this.trouble.hidden = !failure;
    if (!failure) return;
    const mend = failure.signedOut
      ? h("a", { href: "/login?next=/rate" }, "Sign in")
      : h("button", { type: "button", class: "quiet", onclick: () => this.perform("retry") }, "Try now");
    this.trouble.replaceChildren(h("span", {}, sentence(failure.message), failure.signedOut ? "" : " Trying again by itself."), mend);
  }

  showMode(deciding) {
    this.mode?.setAttribute("aria-pressed", String(deciding));
  }

  // The answer that was known, told after the save.
  showGold(gold, faults) {
    const names = Object.fromEntries(faults.map(({ tag, name }) => [tag, name]));
    const range = gold.stars_from === gold.stars_to ? count(gold.stars_from, "star") : `${gold.stars_from} to ${gold.stars_to} stars`;
    const tags = gold.tags.length ? `, with “${gold.tags.map((tag) => names[tag]).join("”, “")}”` : "";
    this.gold.dataset.right = String(gold.right);
    this.gold.replaceChildren(
      h("b", {}, gold.right ? "✓ The last one had a known answer, and you got it." : "The last one had a known answer."),
      h("span", {}, `${range}${tags}. ${gold.explanation}`),
    );
    this.gold.hidden = false;
  }

  hideGold() {
    this.gold.hidden = true;
  }

  say(text, { urgent = false } = {}) {
    this.message.setAttribute("role", urgent ? "alert" : "status");
    this.message.textContent = sentence(text);
    this.message.classList.remove("lack");
  }

  // What is missing, said and shown.
  lack({ field, say }) {
    this.say(say, { urgent: true });
    this.message.classList.add("lack");
    const place = this.stage.querySelector(`[data-field="${field}"]`) ?? this.stage.querySelector(".pair");
    place?.animate?.([{ outline: "3px solid var(--warn)" }, { outline: "3px solid transparent" }], { duration: 900 });
    place?.scrollIntoView({ block: "nearest" });
  }

  focusTask() {
    (this.stage.querySelector(".judged") ?? this.stage.querySelector(".talk"))?.focus({ preventScroll: true });
  }

  focusText(field) {
    const box = this.stage.querySelector(`[data-text="${field}"]`);
    if (!box) return;
    box.focus();
    box.setSelectionRange(box.value.length, box.value.length);
    box.scrollIntoView({ block: "nearest" });
  }

  scrollTalk(direction) {
    const talk = this.stage.querySelector(".talk");
    talk?.scrollBy({ top: direction * Math.max(80, talk.clientHeight * 0.4) });
  }
}
