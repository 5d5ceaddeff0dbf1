// The desk: which task is in hand, what is kept ready behind it, and what every key and click does to it.
//
// A save never waits: the judgement goes into the outbox, the next task is shown in the same instant, and one more is fetched behind it.

import { connect } from "./api.js";
import { Clock } from "./clock.js";
import * as context from "./context.js";
import { askWhy, showSheet } from "./dialogs.js";
import { Frame } from "./frame.js";
import * as judging from "./judgement.js";
import { bindings, isPressable, isTyping, keyOf } from "./keys.js";
import { Outbox } from "./outbox.js";
import { paint, panel, said, text } from "./panel.js";
import { newKey, Store } from "./store.js";

const HELD = 2; // the one in hand, and the one behind it
const MOST_HELD = 6;
const LONGEST_HISTORY = 50;
const LOOK_AGAIN_MS = 15_000;
const GONE_AFTER_MS = 2_000; // out of the page for longer, the desk is closed

class Desk {
  constructor(data) {
    this.data = data;
    this.post = connect(data.caller);
    this.store = new Store(data.person);
    this.store.forgetOldDrafts();
    this.frame = new Frame(data, (...act) => this.perform(...act));
    this.clock = new Clock();
    this.tasks = []; // the first one is in hand
    this.done = new Set(); // answered here, whatever a late answer of the server may still list
    this.history = []; // judged in this window, to look at again
    this.looking = null; // place in the history; null: the task in hand
    this.ended = []; // saves and skips that can be taken back, the last one last
    this.deciding = false; // disputes instead of the queues
    this.shown = null;
    this.judgement = judging.blank();
    this.fetching = false;
    this.trouble = null;
    this.loaded = false;
    this.listeners = new AbortController();
    this.outbox = new Outbox({
      store: this.store,
      post: this.post,
      changed: () => this.frame.showState(this.outbox, this.store.lasting),
      accepted: (entry, answer) => this.accepted(entry, answer),
      refused: (entry, failure) => this.refused(entry, failure),
    });
    for (const entry of this.outbox.entries()) this.done.add(entry.body.assignment_id);
    const { signal } = this.listeners;
    addEventListener("keydown", (event) => this.onKey(event), { capture: true, signal });
    addEventListener("beforeunload", (event) => this.outbox.pending && event.preventDefault(), { signal });
    addEventListener("pagehide", () => this.keepDraft(), { signal });
    document.addEventListener("visibilitychange", () => this.onVisible(), { signal });
    this.outbox.send();
    this.fetch();
  }

  // Into the page, or into another place of it: Streamlit may build its part of the page anew at any time, after a broken connection for
  // one. What is in hand, what was typed and the focus go along.
  attach(place) {
    clearTimeout(this.leaving);
    this.place = place;
    const focused = this.frame.focused;
    (place.querySelector(".root") ?? place).replaceChildren(this.frame.root);
    if (document.activeElement === document.body) focused?.focus({ preventScroll: true });
  }

  detach(place) {
    this.keepDraft();
    if (place === this.place) this.leaving = setTimeout(() => this.close(), GONE_AFTER_MS);
  }

  close() {
    this.keepDraft();
    this.listeners.abort();
    clearTimeout(this.timer);
    this.closed = true;
  }

  get task() {
    return this.looking === null ? (this.tasks[0] ?? null) : this.history[this.looking].task;
  }

  // ---- what is in hand ----

  async fetch() {
    if (this.closed) return;
    if (this.fetching) {
      this.fetchAgain = true;
      return;
    }
    this.fetching = true;
    this.fetchAgain = false;
    clearTimeout(this.timer);
    const deciding = this.deciding;
    try {
      if (deciding) {
        const { task } = await this.post("dispute");
        if (deciding === this.deciding) this.take(task ? [task] : []);
      } else {
        const { tasks, progress } = await this.post("next", { n: Math.min(MOST_HELD, HELD + this.outbox.pending) });
        if (deciding === this.deciding) this.take(tasks);
        this.frame.showProgress(progress);
      }
      this.trouble = null;
      this.loaded = true;
    } catch (failure) {
      this.trouble = failure;
    } finally {
      this.fetching = false;
      if (this.fetchAgain) this.fetch();
      else if (this.trouble || !this.tasks.length) this.timer = setTimeout(() => this.fetch(), this.trouble ? 3_000 : LOOK_AGAIN_MS);
    }
    this.show();
  }

  // What the server says this person holds. The task in hand stays where somebody has begun to judge it, even if its time is up.
  take(tasks) {
    const fresh = tasks.filter((task) => !this.done.has(task.assignment_id));
    const inHand = this.tasks[0];
    const listed = inHand && fresh.find((task) => task.assignment_id === inHand.assignment_id);
    const begun = inHand && this.looking === null && this.shown === inHand.assignment_id && !judging.isBlank(this.judgement);
    const kept = listed ?? (begun ? inHand : null);
    this.tasks = kept ? [kept, ...fresh.filter((task) => task.assignment_id !== kept.assignment_id)] : fresh;
  }

  show() {
    if (this.closed) return;
    const task = this.task;
    const id = task ? `${this.looking ?? ""}${task.assignment_id}` : null;
    this.frame.showTrouble(this.trouble);
    if (id !== null && id === this.shown) return;
    this.shown = id;
    if (!task) {
      this.judgement = judging.blank();
      this.frame.showNothing({ loading: !this.loaded || this.fetching || this.trouble !== null, deciding: this.deciding });
      return;
    }
    const draft = this.looking === null ? this.store.read("draft", task.assignment_id) : this.history[this.looking];
    const before = draft?.judgement ?? (task.taken_back ? judging.fromServer(task.taken_back) : {});
    this.judgement = { ...judging.blank(), ...structuredClone(before) };
    this.clock.start(draft?.seconds ?? 0);
    this.bindings = bindings(task.kind, this.data.words, { cases: Boolean(task.turn_id) });
    this.byKey = new Map(this.bindings.map((binding) => [binding.key, binding.act]));
    const perform = (...act) => this.perform(...act);
    const { words, longest } = this.data;
    const paired = task.kind === "comparison";
    this.frame.showTask(task, {
      looking: this.looking === null ? "" : `${this.history.length - this.looking} back`,
      left: [
        task.facts.length > 0 && context.facts(task),
        context.talk(task),
        task.kind === "turn" && context.reply(task, perform),
        task.kind === "turn" && text("rewrite", "r", "What you would have said", "Empty: no rewrite", longest.rewrite, perform, { hidden: true }),
      ],
      right: [
        context.opinions(task, words, said),
        paired && context.pair(task, perform),
        panel(task, words, longest, perform),
      ],
    });
    paint(this.frame.stage, this.judgement);
  }

  keepDraft() {
    if (this.looking !== null || !this.task || this.shown !== this.task.assignment_id) return;
    if (judging.isBlank(this.judgement)) this.store.remove("draft", this.shown);
    else this.store.write("draft", this.shown, { judgement: this.judgement, seconds: this.clock.seconds, at: Date.now() });
  }

  // ---- what keys and clicks do ----

  perform(name, ...values) {
    this.frame.say("");
    const act = this[`do_${name}`];
    if (act) {
      act.call(this, ...values);
      return;
    }
    const task = this.task;
    if (!task) return;
    const change = {
      stars: (stars) => judging.setStars(this.judgement, stars),
      excellent: () => judging.toggleExcellent(this.judgement),
      tag: (tag) => judging.cycleTag(this.judgement, tag),
      prefer: (side) => judging.setPreferred(this.judgement, side),
      strength: (strength) => this.judgement.preferred !== "tie" && (this.judgement.strength = strength),
      outcome: (outcome) => (this.judgement.outcome = outcome),
      typed: (field, value) => (this.judgement[field] = value),
    }[name];
    change(...values);
    paint(this.frame.stage, this.judgement);
    this.keepDraft();
  }

  do_save() {
    const task = this.task;
    if (!task) return;
    const lack = judging.missing(task.kind, this.judgement);
    if (lack) {
      this.frame.lack(lack);
      return;
    }
    const body = { judgement: judging.toSend(task, this.judgement, this.clock.seconds) };
    const key = newKey();
    if (this.looking !== null) {
      this.#change(this.history[this.looking], key, body);
      return;
    }
    const kept = { task, judgement: this.judgement, key, rating_id: null, seconds: this.clock.seconds };
    this.history.push(kept);
    if (this.history.length > LONGEST_HISTORY) this.history.shift();
    this.outbox.add({ key, route: "save", body: { assignment_id: task.assignment_id, ...body } });
    this.#goOn(task);
  }

  #change(kept, key, body) {
    if (!kept.rating_id) {
      this.frame.say("This one is still being saved. Try again in a moment.");
      return;
    }
    kept.judgement = this.judgement;
    kept.key = key;
    this.outbox.add({ key, route: "revise", body: { rating_id: kept.rating_id, ...body } });
    kept.rating_id = null;
    this.looking = null;
    this.show();
    this.frame.say("Changed. Back to where you were.");
  }

  #goOn(task) {
    this.ended.push(task.assignment_id);
    this.done.add(task.assignment_id);
    this.store.remove("draft", task.assignment_id);
    this.tasks = this.tasks.filter((each) => each.assignment_id !== task.assignment_id);
    this.frame.hideGold();
    if (!this.tasks.length) this.fetch(); // otherwise what comes behind is fetched once the save is through
    this.show();
    this.frame.focusTask();
  }

  do_skip() {
    if (this.looking !== null || !this.task) return;
    const task = this.task;
    askWhy(this.frame.root, this.data.words.skipReasons, this.data.longest.reason, (reason) => {
      this.outbox.add({ key: newKey(), route: "skip", body: { assignment_id: task.assignment_id, reason } });
      this.#goOn(task);
      this.frame.say("Skipped. Press u to take it back.");
    });
  }

  async do_undo() {
    if (this.undoing) return;
    this.undoing = true;
    try {
      this.looking = null;
      if (!(await this.outbox.settled())) {
        this.frame.say("Your last judgement is not saved yet, so it cannot be taken back yet.");
        return;
      }
      const last = this.ended.pop() ?? null;
      const { task } = await this.post("undo", { assignment_id: last });
      if (!task) {
        this.frame.say("There is nothing to take back: only what you did in the last 30 minutes can be.");
        return;
      }
      this.history = this.history.filter((each) => each.task.item_id !== task.item_id);
      this.keepDraft();
      this.tasks = [task, ...this.tasks.filter((each) => each.assignment_id !== task.assignment_id)];
      this.done.delete(task.assignment_id);
      this.shown = null;
      this.show();
      this.frame.hideGold();
      this.frame.say("Taken back. Change it and save again.");
    } catch (failure) {
      this.frame.say(failure.message);
    } finally {
      this.undoing = false;
    }
  }

  do_look(step) {
    const from = this.looking ?? this.history.length;
    const to = from + step;
    if (to < 0 || (step > 0 && this.looking === null)) {
      this.frame.say(to < 0 ? "This is the first one that you judged in this window." : "This is the newest one.");
      return;
    }
    this.keepDraft();
    this.looking = to >= this.history.length ? null : to;
    this.show();
    this.frame.focusTask();
  }

  do_text(field) {
    if (!this.task) return;
    if (field === "rewrite" && this.judgement.rewrite === null) {
      this.judgement.rewrite = this.task.replies[0];
      paint(this.frame.stage, this.judgement);
    }
    this.frame.focusText(field);
  }

  // In a window of its own, so that what is begun here stays as it is.
  do_case() {
    if (!this.task?.turn_id) return;
    this.keepDraft();
    window.open(`/bad-case?turn=${this.task.turn_id}&from=rate`, "_blank");
  }

  do_leave() {
    this.frame.hideGold();
    this.frame.focusTask();
  }

  do_scroll(direction) {
    this.frame.scrollTalk(direction);
  }

  do_sheet() {
    showSheet(this.frame.root, this.bindings ?? bindings("turn", this.data.words));
  }

  do_decide() {
    this.keepDraft();
    this.deciding = !this.deciding;
    this.frame.showMode(this.deciding);
    Object.assign(this, { tasks: [], looking: null, shown: null, loaded: false });
    this.show();
    this.fetch();
  }

  do_retry() {
    this.outbox.send();
    this.fetch();
  }

  onKey(event) {
    if (!this.frame.root.isConnected || event.isComposing) return;
    const target = event.composedPath()[0];
    const dialog = this.frame.root.querySelector("dialog[open]");
    if (dialog) {
      if (event.key !== "Escape" && event.key !== "Tab") event.stopImmediatePropagation(); // Streamlit has keys of its own
      if (dialog.onkey(event)) event.preventDefault();
      return;
    }
    if (document.querySelector("[role=dialog]")) return; // one of Streamlit's, such as the new password
    const key = keyOf(event);
    if (isTyping(target)) {
      const ours = this.frame.root.contains(target);
      if (!ours || !["Ctrl+Enter", "Escape"].includes(key)) return;
    }
    const plain = key === "Enter" && !isPressable(target); // nothing else is meant by it
    const act = plain ? ["save"] : (this.byKey ?? new Map(bindings("turn", this.data.words).map((each) => [each.key, each.act]))).get(key);
    if (!act) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!event.repeat || act[0] === "scroll") this.perform(...act);
  }

  onVisible() {
    this.clock.look();
    if (document.hidden) {
      this.keepDraft();
      return;
    }
    this.outbox.send();
    if (!this.tasks.length || this.tasks.some((task) => Date.parse(task.expires_at) < Date.now())) this.fetch();
  }

  // ---- what the server says ----

  accepted(entry, answer) {
    const kept = this.history.find((each) => each.key === entry.key);
    if (kept) kept.rating_id = answer.rating_id;
    if (answer.gold) this.frame.showGold(answer.gold, this.data.words.faults);
    this.fetch();
  }

  refused(entry, failure) {
    const kept = this.history.find((each) => each.key === entry.key);
    if (kept && entry.route === "save" && ["Malformed", "JudgementWrong"].includes(failure.code)) {
      this.keepDraft();
      this.history = this.history.filter((each) => each !== kept);
      this.ended = this.ended.filter((id) => id !== kept.task.assignment_id);
      this.done.delete(kept.task.assignment_id);
      this.store.write("draft", kept.task.assignment_id, { judgement: kept.judgement, seconds: kept.seconds, at: Date.now() });
      this.tasks.unshift(kept.task);
      this.shown = null;
      this.show();
    }
    this.frame.say(failure.message, { urgent: true });
    this.fetch();
  }
}

let desk = null; // one a window

export function open(place, data) {
  if (!desk || desk.closed || desk.data.person !== data.person) {
    desk?.close();
    desk = new Desk(data);
  }
  const opened = desk;
  opened.attach(place);
  return () => opened.detach(place);
}
