/**
 * Everything that can be opened: the notes' manifests, one of every kind, the cases of trouble, and the files of the workstation, with a
 * sentence and a look at each. Chosen ones are opened in a tab, or applied as they are.
 *
 * @typedef {{name: string, category: string, about: Record<string, string>, yaml?: string, mistake?: boolean}} Example
 */
import { h, icon, toast } from "../dom.js";
import { language, t } from "../i18n.js";
import { coloured } from "./standin.js";

/** @type {Promise<Example[]>|null} */
let asked = null;
/** What was looked at last. */
let shownCategory = "notes";

/** @param {import("../editor.js").Editor} editor @returns {Promise<Example[]>} */
export const examples = (editor) => (asked ??= editor.api.examples().catch((error) => ((asked = null), Promise.reject(error))));

/** @param {import("../editor.js").Editor} editor @param {string} [category] */
export async function gallery(editor, category) {
  const [given, files] = await Promise.all([examples(editor), editor.api.files().then(({ files }) => files, () => [])]).catch((error) => (toast(error.message, true), [[], []]));
  /** @type {Example[]} */
  const all = [...given, ...files.map((/** @type {any} */ one) => ({ name: one.name, category: "files", about: { [language]: t("gallery.size", { size: one.size }) } }))];
  const categories = ["all", ...new Set(all.map((one) => one.category))];
  let at = 0;
  let now = categories.includes(category ?? shownCategory) ? (category ?? shownCategory) : "all";
  /** @type {Example[]} */
  let listed = [];

  const search = h("input", { type: "search", placeholder: t("gallery.search"), "aria-label": t("gallery.search"), role: "combobox", "aria-expanded": "true", "aria-controls": "gallery-list", autocomplete: "off", spellcheck: "false" });
  const tabs = h("nav.gallery-kinds", { "aria-label": t("gallery.categories") });
  const list = h("ul.gallery-list", { role: "listbox", id: "gallery-list", "aria-label": t("gallery.title") });
  const preview = h("pre.gallery-text", { tabindex: "0", role: "region", "aria-label": t("gallery.preview") });
  const about = h("p.gallery-about");
  const open = h("button.button", { type: "button", onclick: () => take(false) });
  const apply = h("button.button.primary", { type: "button", onclick: () => take(true) });
  const dialog = h("dialog.gallery", { "aria-labelledby": "gallery-title" },
    h("header", { role: "none" }, h("h2", { id: "gallery-title", text: t("gallery.title") }), search, h("button.icon", { type: "button", "aria-label": t("gallery.close"), title: t("gallery.close"), onclick: () => dialog.close() }, icon("close"))),
    h("div.gallery-body", {}, tabs, list, h("div.gallery-look", {}, about, preview, h("div.row", {}, open, apply))));

  /** @param {boolean} apply */
  const take = async (apply) => {
    const one = listed[at];
    if (!one) return;
    dialog.close();
    if (one.category === "files") await editor.openFile(one.name);
    else editor.take(one.name, one.yaml ?? "");
    if (apply) await editor.apply();
    else editor.focus();
  };

  /** The search's field again; a phone would cover the list with its keys. */
  const typed = () => matchMedia("(pointer: fine)").matches && search.focus();

  const draw = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    /** @param {Example} one */
    const fits = (one) => words.every((/** @type {string} */ word) => `${one.name} ${one.about.en ?? ""} ${one.about[language] ?? ""} ${one.yaml?.match(/^kind: .*$/gm)?.join(" ") ?? ""}`.toLowerCase().includes(word));
    const fitting = all.filter(fits);
    listed = fitting.filter((one) => now === "all" || one.category === now);
    at = Math.max(0, Math.min(at, listed.length - 1));
    tabs.replaceChildren(...categories.map((each) => h("button", { type: "button", "aria-current": each === now ? "true" : undefined, onclick: () => ((now = shownCategory = each), (at = 0), draw(), typed()) },
      t(`gallery.${each}`), h("small", { text: `${each === "all" ? fitting.length : fitting.filter((one) => one.category === each).length}` }))));
    list.replaceChildren(...(listed.length ? listed.map((one, index) => h("li", { role: "option", id: `example-${index}`, "aria-selected": `${index === at}`, onclick: () => ((at = index), draw()), ondblclick: () => void take(false) },
      h("b", { text: one.name }), one.mistake && h("span.chip", { text: t("gallery.mistake") }), h("small", { text: one.about[language] ?? one.about.en ?? "" }))) : [h("li.none", { role: "option", "aria-selected": "false", text: t("gallery.none") })]));
    search.setAttribute("aria-activedescendant", listed.length ? `example-${at}` : "");
    list.children[at]?.scrollIntoView({ block: "nearest" });
    void look(listed[at]);
  };

  /** @param {Example|undefined} one */
  const look = async (one) => {
    open.disabled = !one;
    apply.disabled = !one || editor.past;
    about.textContent = one ? one.about[language] ?? one.about.en ?? "" : "";
    preview.replaceChildren();
    const text = one?.category === "files" ? await editor.api.read(one.name).catch(() => "") : one?.yaml;
    if (one === listed[at] && text !== undefined) preview.replaceChildren(...text.slice(0, 20000).split("\n").flatMap((line) => [...coloured(line), "\n"])), (preview.scrollTop = 0);
  };

  open.append(t("gallery.open"));
  apply.append(t("gallery.apply"));
  search.addEventListener("input", () => ((at = 0), draw()));
  dialog.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.target !== search) return;
    if (event.key === "ArrowDown") at++;
    else if (event.key === "ArrowUp") at = Math.max(0, at - 1);
    else if (event.key === "Enter" && !event.isComposing) return event.preventDefault(), void take((event.ctrlKey || event.metaKey) && !editor.past);
    else return;
    event.preventDefault();
    draw();
  });
  dialog.addEventListener("click", (/** @type {MouseEvent} */ event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  draw();
  typed();
}
