/** The start page: makes a room and goes there, or follows a link to one. */
import { byId, h } from "./dom.js";
import { knows, LANGUAGES, language, onLanguage, preferred, speak, t, translate } from "./i18n.js";
import { brief } from "./kept.js";

const PATH = /^\/r\/([A-Za-z0-9_-]+)\/?$/;

await speak(preferred());
document.body.dataset.ready = "true";

const start = byId("start");
const show = byId("show");
const trouble = byId("trouble");

/** @param {boolean} shown whether the room begins by showing something */
async function begin(shown) {
  start.disabled = show.disabled = true;
  start.textContent = t("landing.starting");
  const preset = byId("preset").value;
  trouble.textContent = "";
  try {
    const response = await fetch("/api/rooms", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ preset }) });
    const body = await response.json().catch(() => null);
    if (!response.ok || !body) return refused(response.status, body?.error ?? `${response.status} ${response.statusText}`);
    const url = new URL(body.url, location.href);
    if (shown) brief.set("podium.show", "now");
    location.assign(url.pathname + url.search);
  } catch {
    refused(0, "");
  }
}

/** Why there is no room, and the page as it was. @param {number} code the HTTP status; 0: nobody answered @param {string} reason */
function refused(code, reason) {
  start.disabled = show.disabled = false;
  start.textContent = t("landing.start");
  say(code, reason);
}

/** @param {number|string} code @param {string} reason */
function say(code, reason) {
  trouble.dataset.problem = `${code}`;
  trouble.dataset.reason = reason;
  trouble.textContent = knows(`refused.${code}`) ? t(`refused.${code}`) : reason;
}

const { problem } = trouble.dataset;
if (problem) say(problem, trouble.textContent);
onLanguage(() => trouble.textContent && say(trouble.dataset.problem, trouble.dataset.reason));
/** Whoever comes back to the page, comes to one that can be used. */
addEventListener("pageshow", (event) => {
  if (event.persisted) refused(0, ""), (trouble.textContent = "");
});

start.addEventListener("click", () => void begin(false));
show.addEventListener("click", () => void begin(true));

byId("join").addEventListener("submit", (/** @type {SubmitEvent} */ event) => {
  event.preventDefault();
  const text = byId("link").value.trim();
  try {
    const url = new URL(text, location.href);
    if (!PATH.test(url.pathname)) throw new Error();
    location.assign(url.pathname + url.search);
  } catch {
    say("link", "");
  }
});

const pick = h("select", { id: "language", "aria-label": t("language"), onchange: () => speak(pick.value).then(() => translate()) }, ...Object.entries(LANGUAGES).map(([value, text]) => h("option", { value, text })));
pick.value = language;
byId("landing-tools").append(pick);
