/** The start page: makes a room and goes there, or follows a link to one. */
import { byId, h } from "./dom.js";
import { LANGUAGES, language, preferred, speak, t, translate } from "./i18n.js";

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
    const body = await response.json();
    if (!response.ok) throw new Error(body.error);
    const url = new URL(body.url, location.href);
    if (shown) sessionStorage.setItem("podium.show", "now");
    location.assign(url.pathname + url.search);
  } catch (error) {
    trouble.textContent = /** @type {Error} */ (error).message;
    start.disabled = show.disabled = false;
    start.textContent = t("landing.start");
  }
}
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
    trouble.textContent = t("landing.badLink");
  }
});

const pick = h("select", { id: "language", "aria-label": t("language"), onchange: () => speak(pick.value).then(() => translate()) }, ...Object.entries(LANGUAGES).map(([value, text]) => h("option", { value, text })));
pick.value = language;
byId("landing-tools").append(pick);
