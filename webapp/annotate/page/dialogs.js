// The two sheets over the desk: the keys, and why a task is skipped. While one is open it has the keyboard.

import { h, kbd } from "./dom.js";
import { isTyping, keyOf } from "./keys.js";

function open(root, title, body, onkey) {
  const dialog = h(
    "dialog",
    { "aria-label": title },
    h("header", {}, h("h2", { tabindex: "-1", autofocus: true }, title), h("button", { type: "button", class: "quiet", "aria-label": "Close", onclick: () => dialog.close() }, "✕")),
    body,
  );
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.onkey = (event) => onkey(keyOf(event), event);
  root.append(dialog);
  dialog.showModal();
  return dialog;
}

export function showSheet(root, bindings) {
  const groups = Map.groupBy(
    bindings.filter((binding) => !binding.hidden),
    (binding) => binding.group,
  );
  const columns = [...groups].map(([name, each]) =>
    h(
      "section",
      {},
      h("h3", {}, name),
      h("dl", {}, each.map((binding) => [h("dt", {}, (binding.shown ?? binding.key).split(/[+ ]/).map((key) => h("kbd", {}, key))), h("dd", {}, binding.name)])),
    ),
  );
  const dialog = open(root, "Keys", h("div", { class: "sheet" }, columns), (key) => {
    if (key !== "?") return false;
    dialog.close();
    return true;
  });
}

export function askWhy(root, reasons, longest, skip) {
  const choose = (reason) => {
    dialog.close();
    skip(reason);
  };
  const own = h("input", { id: "desk-reason", maxlength: longest, autocomplete: "off", placeholder: "Another reason, then Enter" });
  const body = h(
    "div",
    { class: "reasons" },
    reasons.map(({ key, name, value }) => h("button", { type: "button", onclick: () => choose(value) }, kbd(key), h("span", {}, name))),
    h("label", { for: "desk-reason" }, kbd(String(reasons.length + 1)), own),
  );
  const dialog = open(root, "Skip this one. Why?", body, (key, event) => {
    if (event.target === own || isTyping(event.composedPath()[0])) {
      if (event.key !== "Enter" || !own.value.trim()) return false;
      choose(own.value.trim());
      return true;
    }
    const reason = reasons.find((each) => each.key === key);
    if (reason) choose(reason.value);
    else if (key === String(reasons.length + 1)) own.focus();
    else return false;
    return true;
  });
  dialog.querySelector(".reasons button").focus();
}
