/** What else can be done with a manifest: one document alone, a dry run, its deletion, files dropped in, everything as YAML, each with its command. */
import { h, toast } from "../dom.js";
import { t } from "../i18n.js";
import { openMenu } from "../menu.js";
import { documentAt } from "./position.js";

const LARGEST = 1024 * 1024;
const MOST_FILES = 20;

/** @param {import("../editor.js").Editor} editor @param {HTMLElement} button */
export function menu(editor, button) {
  const box = button.getBoundingClientRect();
  const name = editor.files.now?.name ?? "";
  const past = editor.past ? t("editor.inThePast") : undefined;
  const empty = editor.text.trim() ? undefined : t("editor.isEmpty");
  openMenu({
    x: box.left, y: box.bottom + 4, title: name, label: t("editor.more"), back: () => button.focus(),
    items: [
      { label: t("editor.applyOne"), group: "apply", disabled: past ?? empty, note: t("editor.applyOneNote"), run: () => void applyOne(editor) },
      { label: t("editor.dryRun"), group: "apply", disabled: past ?? empty, command: `kubectl apply --dry-run=server -f ${word(name)}`, run: () => void editor.apply(editor.text, true) },
      { label: t("editor.deleteThese"), group: "apply", danger: true, disabled: past ?? empty, command: `kubectl delete -f ${word(name)}`, run: () => void deleteThese(editor) },
      { label: t("editor.new"), group: "file", run: () => editor.files.new() },
      { label: t("editor.rename"), group: "file", key: "F2", run: () => editor.files.ask(editor.files.at) },
      { label: t("editor.download"), group: "file", disabled: empty, run: () => save(name, editor.text) },
      { label: t("editor.find"), group: "text", key: "Ctrl F", run: () => void find(editor) },
      { label: t("editor.format"), group: "text", key: "Alt Shift F", disabled: empty, run: () => void editor.format() },
      { label: t("export.open"), group: "export", note: t("export.note"), run: () => void exported(editor, {}) },
      { label: t("export.download"), group: "export", note: t("export.note"), run: () => download(editor, {}) },
    ],
  });
}

/** A file's name as the shell takes it. @param {string} name */
const word = (name) => (/^[\w./-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`);

/** Applies the document that the cursor is in. Lines are counted as in the whole. @param {import("../editor.js").Editor} editor */
export function applyOne(editor) {
  const doc = documentAt(editor.text, editor.surface.selection.from);
  const line = editor.text.slice(0, doc.from).split("\n").length;
  return editor.apply("\n".repeat(line - 1) + editor.text.slice(doc.from, doc.to));
}

/** Deletes what the file names, with the terminal's own command. @param {import("../editor.js").Editor} editor */
export async function deleteThese(editor) {
  const one = editor.files.now;
  if (!one || editor.past) return;
  if (editor.files.dirty(one)) await editor.store();
  if (!editor.files.dirty(one)) editor.run(`kubectl delete -f ${word(one.name)}`);
}

/** @param {import("../editor.js").Editor} editor */
export async function find(editor) {
  const view = await editor.open();
  await view.ready;
  (await import("./more.js")).openSearchPanel(view.view);
}

/** @param {string} name @param {string} text */
function save(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "application/yaml" }));
  h("a", { href: url, download: name.split("/").at(-1) }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/** Everything that was made here, in a tab. @param {import("../editor.js").Editor} editor @param {Record<string, string>} query */
export async function exported(editor, query) {
  const answer = await fetch(editor.api.url("export", query)).catch(() => null);
  const text = answer?.ok ? await answer.text() : "";
  if (!text) return toast(answer?.ok ? t("export.nothing") : t("export.failed"), !answer?.ok);
  editor.files.new(text, `${query.namespace ?? "export"}.yaml`);
}

/** @param {import("../editor.js").Editor} editor @param {Record<string, string>} query */
export function download(editor, query) {
  h("a", { href: editor.api.url("export", query), download: `${editor.api.room}.yaml` }).click();
}

/** Files that were dropped: each in a tab of its own. @param {import("../editor.js").Editor} editor @param {DataTransfer} data */
export async function dropped(editor, data) {
  const files = [...data.files];
  if (files.length > MOST_FILES) toast(t("editor.manyDropped", { count: MOST_FILES }), true);
  for (const file of files.slice(0, MOST_FILES)) {
    if (file.size > LARGEST) {
      toast(t("editor.tooLarge", { name: file.name, size: LARGEST / 1024 }), true);
      continue;
    }
    const text = await file.text();
    if (text.includes("\0")) toast(t("editor.notText", { name: file.name }), true);
    else editor.files.new(text.replace(/^\ufeff/, "").replace(/\r\n?/g, "\n"), file.name.replace(/[^\w.가-힣-]+/g, "-"));
  }
}
