/**
 * The page's own words, from a JSON catalogue a language. A message is a string with {params}, or a table of plural categories
 * chosen by Intl.PluralRules from {count}. What Kubernetes says stays in English.
 */
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
  return localStorage.getItem("podium.language") ?? (navigator.language.startsWith("ko") ? "ko" : "en");
}

/** @param {string} name */
export async function speak(name) {
  const response = await fetch(new URL(`../locales/${name}.json`, import.meta.url));
  words = await response.json();
  language = name;
  rules = new Intl.PluralRules(name);
  document.documentElement.lang = name;
  localStorage.setItem("podium.language", name);
  translate();
  for (const listener of listeners) listener();
}

/** @param {() => void} listener */
export const onLanguage = (listener) => listeners.add(listener);
