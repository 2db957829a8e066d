/** The command palette: everything the page can do and every thing it shows, a few letters away. */
import { byId, h } from "./dom.js";
import { t } from "./i18n.js";

const MOST = 60;

/** @param {() => {label: string, hint?: string, run: () => void}[]} commands */
export function setUpPalette(commands) {
  const dialog = byId("palette");
  let chosen = 0;
  /** @type {{label: string, hint?: string, run: () => void}[]} */
  let shown = [];
  const list = h("ul", { role: "listbox", id: "palette-list", "aria-label": t("palette.label") });
  const input = h("input", { type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": "palette-list", "aria-autocomplete": "list", autocomplete: "off", spellcheck: "false" });
  dialog.append(input, list);

  const draw = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    shown = commands().filter((one) => words.every((/** @type {string} */ word) => `${one.label} ${one.hint ?? ""}`.toLowerCase().includes(word))).slice(0, MOST);
    chosen = Math.max(0, Math.min(chosen, shown.length - 1));
    list.replaceChildren(...shown.map((one, index) => h("li", { role: "option", id: `option-${index}`, "aria-selected": `${index === chosen}`, onclick: () => run(index) }, one.label, one.hint ? h("small", { text: one.hint }) : null)));
    input.setAttribute("aria-activedescendant", shown.length ? `option-${chosen}` : "");
    list.children[chosen]?.scrollIntoView({ block: "nearest" });
  };
  /** @param {number} index */
  const run = (index) => {
    const command = shown[index];
    dialog.close();
    command?.run();
  };
  input.addEventListener("input", () => ((chosen = 0), draw()));
  input.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "ArrowDown") chosen = (chosen + 1) % Math.max(1, shown.length);
    else if (event.key === "ArrowUp") chosen = (chosen - 1 + shown.length) % Math.max(1, shown.length);
    else if (event.key === "Enter") return event.isComposing ? undefined : (event.preventDefault(), run(chosen));
    else return;
    event.preventDefault();
    draw();
  });
  dialog.addEventListener("click", (/** @type {MouseEvent} */ event) => event.target === dialog && dialog.close());
  return () => {
    if (dialog.open) return dialog.close();
    input.value = "";
    input.placeholder = t("palette.placeholder");
    chosen = 0;
    dialog.showModal();
    draw();
    input.focus();
  };
}
