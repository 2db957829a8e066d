/**
 * Whether anything may be changed: not while the past is looked at. Controls that change the cluster are wrapped in `acting(...)`, or a
 * whole panel of them in `actingPanel(...)`, which says why they are off; what is done by keys or on the canvas asks `mayAct()` first.
 * Others hear of it by the event "podium:past" on the document (detail: the revision or null) and see it in `body[data-past]`.
 */
import { h, toast } from "./dom.js";
import { onLanguage, t } from "./i18n.js";

/** @type {Set<any>} */
const fields = new Set();
/** @type {Set<HTMLElement>} */
const reasons = new Set();

export const isPast = () => document.body.dataset.past !== undefined;

/** Controls that are off while the past is looked at. @param {...(Node|string|null|false)} children @returns {any} */
export function acting(...children) {
  const field = h("fieldset.acting", { role: "none", disabled: isPast() }, ...children);
  fields.add(field);
  told(field);
  return field;
}

/** As `acting`, with a line on top that says why. @param {...(Node|string|null|false)} children @returns {any} */
export function actingPanel(...children) {
  const reason = h("p.note.only-past", { tabIndex: 0, text: t("past.reason") });
  reasons.add(reason);
  return h("div.acting", {}, reason, acting(...children));
}

/** Whether one may; if not, says why. */
export function mayAct() {
  if (isPast()) toast(t("past.reason"));
  return !isPast();
}

/** @param {number|null} revision what is looked at from now on */
export function setPast(revision) {
  const was = isPast();
  if (revision === null) delete document.body.dataset.past;
  else document.body.dataset.past = `${revision}`;
  if (was !== isPast()) for (const field of fields) told(field);
  document.dispatchEvent(new CustomEvent("podium:past", { detail: revision }));
}

/** @param {any} field */
function told(field) {
  field.disabled = isPast();
  if (isPast()) field.title = t("past.reason");
  else field.removeAttribute("title");
}

onLanguage(() => {
  for (const reason of reasons) reason.textContent = t("past.reason");
  for (const field of fields) told(field);
});
