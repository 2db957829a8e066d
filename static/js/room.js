/** The room's page around its first picture (first.js): makes the parts and ties them together. */
import { Actions } from "./actions.js";
import { Api } from "./api.js";
import { Browser } from "./browser.js";
import { setUpScale } from "./canvas/scale.js";
import { Chaos } from "./chaos.js";
import * as docks from "./docks.js";
import { byId, h, icon, toast } from "./dom.js";
import { Follow } from "./follow.js";
import { Connection, FULL } from "./connection.js";
import { Editor } from "./editor.js";
import { setUpEmpty } from "./empty.js";
import { keepFocus } from "./focus.js";
import { stage } from "./first.js";
import { LANGUAGES, onLanguage, speak, t, translate } from "./i18n.js";
import { Inspector } from "./inspector.js";
import { setUpInteraction } from "./interact.js";
import { missing } from "./lazy.js";
import { setUpReplay } from "./replay.js";
import { Past, setUpTime } from "./past.js";
import { Terminal } from "./terminal.js";
import { choose, isLarge, onTheme } from "./theme.js";
import { setUpShare } from "./share.js";
import { Strip } from "./strip.js";
import { Tooltip } from "./tooltip.js";
import { TopBar } from "./topbar.js";
import { Traffic } from "./traffic.js";
import { announce, Tree } from "./tree.js";
import { key, live, room, scene, time } from "./wire.js";

const api = new Api(room, key);
const actions = new Actions();

const tooltip = new Tooltip(byId("tooltip"), stage.host, scene);
stage.parts.onHover = (id, x, y) => tooltip.show(id ? scene.get(id) : undefined, x, y);
stage.parts.onSelect = (id) => select(id);
const strip = new Strip({ scene, stage, time, show, why: (id) => (show(id), actions.all.get("why")?.run()) });
const past = new Past({ api, live, actions });
const editor = new Editor(byId("panel-editor"), api, show);
const inspector = new Inspector(byId("panel-inspector"), api, scene, { live, show, clear: () => select(null), run: (line) => (docks.set("bottom", { folded: false }), terminal.run(line)), paused: () => time.paused, now: () => time.now, edit: (yaml) => (docks.open("editor"), editor.files.new(yaml)), chaos: (id) => (docks.open("chaos"), chaos.choose(id), byId("chaos-fault")?.focus()) });
inspector.register(actions, () => docks.open("inspector"));
Follow.stage = stage;
const traffic = new Traffic(byId("panel-traffic"), api, scene, show);
const browser = new Browser(byId("panel-browser"), api);
const chaos = new Chaos(byId("panel-chaos"), byId("tab-chaos"), api, scene, { show, now: () => time.now });
const terminal = new Terminal(byId("terminal"), live.socket, room, find, show);
editor.run = (line) => (docks.set("bottom", { folded: false }), terminal.run(line));
editor.register(actions, () => docks.open("editor"));
const interact = setUpInteraction({
  stage, scene, live, api, terminal, actions, traffic, browser, select, show, edit: (yaml) => (docks.open("editor"), editor.files.new(yaml)),
  chaos: (id) => (docks.open("chaos"), chaos.choose(id), byId("chaos-fault")?.focus()), look: (revision) => void past.look(revision),
});
const { palette, help } = interact;
const topbar = new TopBar(api, time, scene, { palette, help, share: () => {} });
new Connection(byId("gone"), live, scene);
setUpScale(stage, api, live, actions, byId("bar-group"));
past.marked = (id) => scene.get(id) && show(id);
past.held = () => stage.selected !== null || interact.travel.at !== null;
setUpTime(past, { api, live, actions, topbar, scene, stage, terminal, inspector });
live.socket.on("edit", (/** @type {any} */ file) => {
  docks.open("editor");
  if (!file.id) return void editor.openFile(file.name);
  editor.wait(file);
});
editor.answer = (id, text) => (terminal.focus(), live.socket.timeout(5000).emitWithAck("edit.done", { id, text }));
live.socket.on("edit.over", (/** @type {{id: string}} */ { id }) => editor.forget(id));
live.socket.on("disconnect", () => editor.forget());
live.socket.on("files", (/** @type {{changed: string[]}} */ { changed }) => void editor.changed(changed));
const tree = new Tree(byId("tree"), scene, show, (id) => (stage.hover(id, 0, 0), tooltip.show(undefined, 0, 0)), (id, x, y) => stage.parts.onMenu?.(id, x, y));
byId("skip").addEventListener("click", (/** @type {Event} */ event) => (event.preventDefault(), tree.focus()));
announce(byId("announcer"), scene);
setUpEmpty(byId("empty"), scene, terminal, (aim) => api.traffic(aim));

const replay = setUpReplay({ api, stage, scene, time, live, show, terminal }, actions);
setUpShare({ stage, replay, room, time, live, topbar, copy: interact.copy }, actions);

interact.selection.listen(() => interact.selection.ids.length > 1 && inspector.show(stage.selected, interact.selection.ids));

/** What chaos can strike: selecting it while one is about it only aims. */
const AIMED = /^(Node|Pod|Component)\//;

/** @param {string|null} id @param {boolean} [among] the first of several that are selected already */
function select(id, among = false) {
  if (!among) {
    interact.selection.only(id);
    inspector.show(id);
  }
  chaos.choose(id);
  if (id && !(docks.shown() === "chaos" && AIMED.test(id))) docks.open("inspector");
}

/** @param {string} id */
function show(id) {
  if (!scene.get(id)) return docks.open("inspector"), inspector.show(id);
  stage.reveal(id);
  select(id);
}

/** The thing a word in the terminal names: `pod/web-1`, or a bare name. @param {string} word */
function find(word) {
  const [kind, given] = word.includes("/") ? word.split("/", 2) : ["", word];
  for (const [id, thing] of scene.things) {
    if (thing.name !== given || ["Namespace", "Component", "Fault"].includes(thing.kind)) continue;
    if (!kind || thing.kind.toLowerCase() === kind.split(".")[0].replace(/s$/, "")) return id;
  }
  return null;
}

live.on("state", (state, _, code) => topbar.connection(code === FULL ? "full" : state));
/** What was wanted is not here, and nobody can bring it just now. */
addEventListener("unhandledrejection", (event) => missing(event.reason) && (event.preventDefault(), toast(t("room.missing"), true)));
live.on("people", (count) => topbar.here(count));
live.on("clock", () => topbar.clock());
onTheme(() => legend());
onLanguage(() => {
  stage.repaint();
  furnish();
  legend();
  docks.lay();
});

function furnish() {
  /** @param {string} name @param {string} label @param {() => void} run */
  const button = (name, label, run) => h("button.icon", { type: "button", "aria-label": label, title: label, onclick: run }, icon(name));
  byId("stage-tools").replaceChildren(
    button("minus", t("stage.zoomOut"), () => stage.zoomBy(1 / 1.3)), button("plus", t("stage.zoomIn"), () => stage.zoomBy(1.3)),
    button("fit", t("stage.fit"), () => stage.fit()), button("side", t("dock.foldSide"), () => docks.set("side", { folded: !docks.folded("side") })));
  terminal.hint();
}

function legend() {
  const open = byId("legend").querySelector("details")?.open ?? false;
  const fill = async (/** @type {any} */ { target }) => target.open && target.querySelector(".marks") === null && target.append((await import("./help.js")).marks());
  byId("legend").replaceChildren(h("details", { open, ontoggle: (/** @type {Event} */ event) => void fill(event) }, h("summary", { title: t("legend.title"), "aria-label": t("legend.title") }, h("span", { text: t("legend.title") }))));
}

actions.add(
  { id: "apply", label: () => t("editor.apply"), hint: "Ctrl Enter", run: () => void editor.apply() },
  { id: "pause", label: () => t(time.paused ? "clock.play" : "clock.pause"), key: "p", when: () => live.past === null, run: () => topbar.toggle() },
  { id: "step", label: () => t("clock.step"), key: "s", when: () => live.past === null, run: () => topbar.step() },
  { id: "fit", label: () => t("stage.fit"), key: ["f", "0"], group: "keys.canvas", run: () => stage.fit() },
  { id: "terminal", label: () => t("palette.terminal"), key: "Ctrl+`", where: "everywhere", run: () => (docks.set("bottom", { folded: false }), terminal.focus()) },
  { id: "editor", label: () => t("palette.editor"), key: "Ctrl+e", where: "everywhere", run: () => (docks.open("editor"), editor.focus()) },
  { id: "tree", label: () => t("tree.toggle"), key: "t", run: () => tree.pin() },
  { id: "traffic", label: () => t("palette.traffic"), run: () => (docks.open("traffic"), byId("tab-traffic").focus()) },
  { id: "browser", label: () => t("palette.browser"), run: () => (docks.open("browser"), browser.bar.focus()) },
  { id: "chaos", label: () => t("palette.chaos"), run: () => (docks.open("chaos"), chaos.draw(true), byId("chaos-fault")?.focus()) },
  { id: "heal", label: () => t("chaos.healAll"), when: () => scene.ofKind("Fault").length > 0, run: () => void api.heal() },
  { id: "zoomIn", label: () => t("stage.zoomIn"), key: ["+", "="], group: "keys.canvas", run: () => stage.zoomBy(1.25) },
  { id: "zoomOut", label: () => t("stage.zoomOut"), key: "-", group: "keys.canvas", run: () => stage.zoomBy(0.8) },
  { id: "text", label: () => t(isLarge() ? "text.normal" : "text.large"), key: "L", run: () => topbar.enlarge() },
  ...["auto", "dark", "light"].map((theme) => ({ id: `theme.${theme}`, label: () => t(`theme.${theme}`), run: () => (choose(/** @type {any} */ (theme)), topbar.draw()) })),
  ...Object.entries(LANGUAGES).map(([name, label]) => ({ id: `language.${name}`, label: () => label, hint: t("language"), run: () => void speak(name) })),
);

addEventListener("keydown", (event) => {
  const inside = /** @type {HTMLElement} */ (event.target).closest("#terminal");
  if (inside && event.ctrlKey && event.key === "`") return event.preventDefault(), terminal.leave();
  if (!inside) actions.press(event);
});

keepFocus();
translate();
furnish();
legend();
scene.welcome();
const loaded = [editor.load()];
chaos.load();
traffic.draw();

/** For tests and the curious: what the page knows. */
Object.assign(window, { podium: { live, api, actions, inspector, select, show, scene, stage, editor, terminal, time, traffic, chaos, browser, strip, replay, interact, past } });
await Promise.allSettled(loaded);
document.body.dataset.ready = "true";
