/** The room's page: makes the parts and ties them together. */
import { Actions } from "./actions.js";
import { Api } from "./api.js";
import { Browser } from "./browser.js";
import { Stage } from "./canvas/stage.js";
import { Chaos } from "./chaos.js";
import * as docks from "./docks.js";
import { byId, h, icon, toast } from "./dom.js";
import { Editor } from "./editor.js";
import { setUpEmpty } from "./empty.js";
import { LANGUAGES, onLanguage, preferred, speak, t, translate } from "./i18n.js";
import { marks, setUpHelp } from "./help.js";
import { Inspector } from "./inspector.js";
import { Live } from "./live.js";
import { setUpPalette } from "./palette.js";
import { Scene } from "./scene.js";
import { Terminal } from "./terminal.js";
import { choose, onTheme } from "./theme.js";
import { Tooltip } from "./tooltip.js";
import { TopBar } from "./topbar.js";
import { Traffic } from "./traffic.js";
import { announce, Tree } from "./tree.js";
import { VirtualTime } from "./virtualtime.js";

await Promise.all([speak(preferred()), document.fonts.load('500 12px "Inter"').catch(() => null), document.fonts.load('500 12px "JetBrains Mono"').catch(() => null)]);

const { room = "", key = "" } = document.body.dataset;
const api = new Api(room, key);
const actions = new Actions();
const scene = new Scene();
const time = new VirtualTime();
docks.setUp();

const stageHost = byId("stage");
const tooltip = new Tooltip(byId("tooltip"), stageHost);
const stage = new Stage({
  host: stageHost, still: byId("still"), moving: byId("moving"), scene, time, t,
  onHover: (id, x, y) => tooltip.show(id ? scene.get(id) : undefined, x, y), onSelect: (id) => select(id),
});
const live = new Live(room, key, scene, time);
const editor = new Editor(byId("panel-editor"), api, show);
const inspector = new Inspector(byId("panel-inspector"), api, scene, { show, now: () => time.now, edit: (yaml) => (editor.set(yaml), docks.open("editor")), chaos: (id) => (docks.open("chaos"), chaos.choose(id), byId("chaos-fault")?.focus()) });
const traffic = new Traffic(byId("panel-traffic"), api, scene, show);
const browser = new Browser(byId("panel-browser"), api);
const chaos = new Chaos(byId("panel-chaos"), byId("tab-chaos"), api, scene, { show, now: () => time.now });
const terminal = new Terminal(byId("terminal"), live.socket, room, find, show);
const help = setUpHelp(byId("help"), api);
const palette = setUpPalette(() => actions.entries());
const topbar = new TopBar(api, time, scene, { palette, help });
live.socket.on("edit", (/** @type {{name: string}} */ { name }) => (docks.open("editor"), void editor.openFile(name)));
live.socket.on("files", (/** @type {{changed: string[]}} */ { changed }) => void editor.changed(changed));
new Tree(byId("tree"), scene, show, (id) => stage.hover(id, 0, 0));
announce(byId("announcer"), scene);
setUpEmpty(byId("empty"), scene, (line) => terminal.run(line));

/** What chaos can strike: selecting it while one is about it only aims. */
const AIMED = /^(Node|Pod|Component)\//;

/** @param {string|null} id */
function select(id) {
  stage.select(id);
  inspector.show(id);
  chaos.choose(id);
  if (id && !(docks.shown() === "chaos" && AIMED.test(id))) docks.open("inspector");
}

/** @param {string} id */
function show(id) {
  if (!scene.get(id)) return void toast(t("inspect.gone"));
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

live.on("state", (state, detail) => {
  topbar.connection(state);
  document.body.dataset.connection = state;
  byId("gone").hidden = state !== "gone";
  if (state === "gone") byId("gone").replaceChildren(h("strong", { text: t("room.gone") }), h("p", { text: t("room.goneHint", { reason: detail }) }), h("a.button.primary", { href: "/", text: t("room.home") }));
});
live.on("people", (count) => topbar.here(count));
live.on("clock", () => {
  topbar.clock();
  stage.freeze(time.paused);
  stage.repaint();
});
onTheme((theme) => {
  stage.setTheme(theme);
  legend();
});
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
  byId("legend").replaceChildren(h("details", { open }, h("summary", { text: t("legend.title") }), marks()));
}

actions.add(
  { id: "apply", label: () => t("editor.apply"), hint: "Ctrl Enter", run: () => void editor.apply() },
  { id: "pause", label: () => t(time.paused ? "clock.play" : "clock.pause"), key: "p", when: () => live.past === null, run: () => topbar.toggle() },
  { id: "step", label: () => t("clock.step"), key: "s", when: () => live.past === null, run: () => topbar.step() },
  { id: "fit", label: () => t("stage.fit"), key: "f", run: () => stage.fit() },
  { id: "terminal", label: () => t("palette.terminal"), hint: "Ctrl `", run: () => (docks.set("bottom", { folded: false }), terminal.focus()) },
  { id: "editor", label: () => t("palette.editor"), hint: "Ctrl E", run: () => (docks.open("editor"), editor.view.focus()) },
  { id: "tree", label: () => t("palette.tree"), key: "t", run: () => byId("tree").querySelector("[tabindex='0']")?.focus() },
  { id: "traffic", label: () => t("palette.traffic"), run: () => docks.open("traffic") },
  { id: "browser", label: () => t("palette.browser"), run: () => (docks.open("browser"), browser.bar.focus()) },
  { id: "chaos", label: () => t("palette.chaos"), run: () => (docks.open("chaos"), chaos.draw(true), byId("chaos-fault")?.focus()) },
  { id: "heal", label: () => t("chaos.healAll"), when: () => scene.ofKind("Fault").length > 0, run: () => void api.heal() },
  { id: "share", label: () => t("share.button"), run: () => topbar.share() },
  { id: "help", label: () => t("help.label"), key: "?", run: help },
  { id: "deselect", label: () => "", key: "Escape", run: () => select(null) },
  { id: "zoomIn", label: () => t("stage.zoomIn"), key: "+", run: () => stage.zoomBy(1.25) },
  { id: "zoomOut", label: () => t("stage.zoomOut"), key: "-", run: () => stage.zoomBy(0.8) },
  ...["auto", "dark", "light"].map((theme) => ({ id: `theme.${theme}`, label: () => t(`theme.${theme}`), run: () => (choose(/** @type {any} */ (theme)), topbar.draw()) })),
  ...Object.entries(LANGUAGES).map(([name, label]) => ({ id: `language.${name}`, label: () => label, hint: t("language"), run: () => void speak(name) })),
);
actions.list(() => editor.examples.map((one) => ({ label: t("palette.example", { name: one.title ?? one.name }), hint: "YAML", run: () => (docks.open("editor"), editor.set(one.yaml)) })));
actions.list(() => [...scene.things].filter(([, thing]) => !["Component", "Namespace", "Fault"].includes(thing.kind)).slice(0, 3000).map(([id, thing]) => ({ label: thing.name, hint: thing.kind, run: () => show(id) })));

/** Other keys for the same, and those that move the eye. @type {Record<string, () => void>} */
const KEYS = {
  "0": () => stage.fit(), "=": () => stage.zoomBy(1.25),
  ArrowLeft: () => stage.panBy(60, 0), ArrowRight: () => stage.panBy(-60, 0), ArrowUp: () => stage.panBy(0, 60), ArrowDown: () => stage.panBy(0, -60),
};

addEventListener("keydown", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  const ctrl = event.ctrlKey || event.metaKey;
  if (ctrl && event.key.toLowerCase() === "k" && !target.closest("#terminal")) return event.preventDefault(), palette();
  if (ctrl && event.key === "`") return event.preventDefault(), target.closest("#terminal") ? terminal.leave() : (docks.set("bottom", { folded: false }), terminal.focus());
  if (ctrl && event.key.toLowerCase() === "e" && !target.closest("#terminal")) return event.preventDefault(), docks.open("editor"), editor.view.focus();
  if (ctrl || event.altKey || target.closest("input, select, textarea, dialog, .cm-editor, #terminal, [role=tab], [role=separator], [role=menu], [role=slider]")) return;
  if (actions.press(event) || !KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
});

translate();
furnish();
legend();
editor.load();
chaos.load();
traffic.draw();
document.body.dataset.ready = "true";

/** For tests and the curious: what the page knows. */
Object.assign(window, { podium: { live, api, actions, inspector, select, show, scene, stage, editor, terminal, time, traffic, chaos, browser } });
