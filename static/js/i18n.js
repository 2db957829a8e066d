/**
 * The page's own words, from a JSON catalogue a language. A message is a string with {params}, or a table of plural categories
 * chosen by Intl.PluralRules from {count}. What Kubernetes says stays in English.
 */
import { kept } from "./kept.js";

/** @type {Record<string, any>} */
let words = {};
let rules = new Intl.PluralRules("en");
export let language = "en";
/** @type {Set<() => void>} */
const listeners = new Set();
export const LANGUAGES = { en: "English", ko: "한국어" };

/** @param {string} key @param {Record<string, any>} [params] @returns {string} */
export function t(key, params = {}) {
  let message = words[key] ?? key;
  if (typeof message === "object") message = message[rules.select(Number(params.count))] ?? message.other;
  return message.replace(/\{(\w+)\}/g, (/** @type {string} */ _, /** @type {string} */ name) => `${params[name] ?? ""}`);
}

/** Whether there are words for it. @param {string} key */
export const knows = (key) => key in words;

/** Static markup: data-i18n is the text, data-i18n-label the accessible name, data-i18n-title the tip. @param {ParentNode} [root] */
export function translate(root = document) {
  for (const element of root.querySelectorAll("[data-i18n]")) element.textContent = t(/** @type {HTMLElement} */ (element).dataset.i18n ?? "");
  for (const element of root.querySelectorAll("[data-i18n-label]")) element.setAttribute("aria-label", t(/** @type {HTMLElement} */ (element).dataset.i18nLabel ?? ""));
  for (const element of root.querySelectorAll("[data-i18n-title]")) element.setAttribute("title", t(/** @type {HTMLElement} */ (element).dataset.i18nTitle ?? ""));
}

export function preferred() {
  const name = kept.get("podium.language") ?? "";
  return name in LANGUAGES ? name : navigator.language.startsWith("ko") ? "ko" : "en";
}

/** Catalogues besides the page's own, of views that are loaded when they are first needed. @type {Map<string, Promise<void>>} */
const parts = new Map();
/** @param {string} name @returns {Promise<Record<string, any>>} */
const read = async (name) => (await fetch(new URL(`../locales/${name}.json`, import.meta.url))).json();

/** Adds `PART.LANGUAGE.json` to the words, in this language and in every other that is chosen. @param {string} part @returns {Promise<void>} */
export function also(part) {
  const known = parts.get(part);
  if (known) return known;
  const loading = read(`${part}.${language}`).then((more) => void (words = { ...more, ...words }));
  parts.set(part, loading);
  return loading;
}

/** @param {string} name */
export async function speak(name) {
  words = Object.assign({}, ...(await Promise.all([...[...parts.keys()].map((part) => `${part}.${name}`), name].map(read))));
  language = name;
  rules = new Intl.PluralRules(name);
  document.documentElement.lang = name;
  kept.set("podium.language", name);
  translate();
  for (const listener of listeners) listener();
}

/** @param {() => void} listener @returns {() => void} it need not be told any more */
export const onLanguage = (listener) => (listeners.add(listener), () => void listeners.delete(listener));
