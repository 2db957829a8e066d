/**
 * The command palette: everything the page can do, what can be done with what is selected, and every thing by its name and state, a few
 * letters away. The letters need not stand together; what was used last comes first.
 *
 * @typedef {import("./actions.js").Entry} Entry
 */
import { grouped } from "./actions.js";
import { byId, h } from "./dom.js";
import { t } from "./i18n.js";
import { kept } from "./kept.js";

const MOST = 60;
const MOST_RECENT = 5;
const STORE = "podium.recent";

/** How well letters fit a text, the more the better; 0: they do not. Whole words and their beginnings count most. @param {string} query @param {string} text both in lower case */
export function score(query, text) {
  if (!query) return 1;
  const at = text.indexOf(query);
  if (at >= 0) return (at === 0 || /[\s/:.-]/.test(text[at - 1]) ? 1000 : 600) - Math.min(200, at) - Math.min(100, text.length - query.length);
  let place = -1;
  let points = 300;
  for (const letter of query) {
    const next = text.indexOf(letter, place + 1);
    if (next < 0) return 0;
    if (next > place + 1) points -= next === 0 || /[\s/:.-]/.test(text[next - 1]) ? 4 : 14;
    place = next;
  }
  return Math.max(0, points);
}

/** The entries that fit, the best first. @param {Entry[]} entries @param {string} query @param {string[]} recent ids @returns {Entry[]} */
export function ranked(entries, query, recent) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) {
    const last = recent.flatMap((id) => entries.find((one) => one.id === id) ?? []).slice(0, MOST_RECENT).map((one) => ({ ...one, group: "palette.recent" }));
    return [...last, ...[...grouped(entries.filter((one) => one.id), (one) => one.group).values()].flat()];
  }
  /** @type {[number, number, Entry][]} */
  const found = [];
  entries.forEach((one, index) => {
    const label = one.label.toLowerCase();
    const rest = `${one.note ?? ""} ${one.hint ?? ""}`.toLowerCase();
    let all = 0;
    for (const word of words) {
      const points = score(word, label) || (rest.includes(word) ? 90 : 0);
      if (!points) return;
      all += points;
    }
    found.push([all + (one.id && recent.includes(one.id) ? 60 : 0) + (one.id ? 20 : 0), index, one]);
  });
  return found.sort((a, b) => b[0] - a[0] || a[1] - b[1]).map(([, , one]) => one);
}

/** Fills the open dialog, in which the field is already. @param {() => Entry[]} commands */
export function setUpPalette(commands) {
  const dialog = byId("palette");
  let chosen = 0;
  /** @type {Entry[]} */
  let shown = [];
  /** @type {Entry[]} what there is while it is open */
  let all = [];
  /** @type {string[]} */
  const recent = kept.read(STORE, []);
  const list = h("ul", { role: "listbox", id: "palette-list" });
  const input = dialog.querySelector("input");
  dialog.append(list);

  const heading = (/** @type {string} */ group) => (group.includes(".") ? t(group) : group);
  const draw = () => {
    shown = ranked(all, input.value.trim(), recent).slice(0, MOST);
    chosen = Math.max(0, Math.min(chosen, shown.length - 1));
    const grouped = !input.value.trim();
    list.replaceChildren(...shown.flatMap((one, index) => [
      grouped && one.group && one.group !== shown[index - 1]?.group ? h("li.heading", { role: "presentation", text: heading(one.group) }) : null,
      h("li", { role: "option", id: `option-${index}`, "aria-selected": `${index === chosen}`, onclick: () => run(index) }, h("span", { text: one.label }), one.note ? h("em", { text: one.note }) : null, one.hint ? h("small", { text: one.hint }) : null),
    ]).filter((one) => one !== null));
    if (!shown.length) list.append(h("li.heading", { role: "option", "aria-disabled": "true", text: t("palette.nothing") }));
    input.setAttribute("aria-activedescendant", shown.length ? `option-${chosen}` : "");
    document.getElementById(`option-${chosen}`)?.scrollIntoView({ block: "nearest" });
    if (!chosen) list.scrollTop = 0;
  };
  /** @param {number} index */
  const run = (index) => {
    const command = shown[index];
    dialog.close();
    if (command?.id) {
      recent.splice(0, recent.length, ...[command.id, ...recent.filter((id) => id !== command.id)].slice(0, MOST_RECENT));
      kept.write(STORE, recent);
    }
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
  /** Lists what there is, for what has been typed so far; `entered`: Enter was pressed already. @param {boolean} entered */
  return (entered) => {
    list.setAttribute("aria-label", t("palette.label"));
    chosen = 0;
    all = commands();
    draw();
    if (entered) run(0);
  };
}
