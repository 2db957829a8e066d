/**
 * What a person does on the canvas: makes the selection, the keyboard's ring, the filter's field and the address that holds the view, and
 * loads the menus, the acts, the palette and the help when they are first wanted. Registers all of it as actions.
 */
import { scalable, Selection } from "./canvas/selection.js";
import { Travel } from "./canvas/travel.js";
import * as docks from "./docks.js";
import { byId, clip, h, icon, toast } from "./dom.js";
import { stateText } from "./facts.js";
import { onLanguage, t } from "./i18n.js";
import { once } from "./lazy.js";
import { ViewUrl } from "./viewurl.js";

/** So many things the palette knows by name. */
const MOST_NAMED = 20_000;
const ARROWS = ["ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown"];
const UNNAMED = new Set(["Component", "Namespace", "Fault"]);

/**
 * @param {{stage: import("./canvas/stage.js").Stage, scene: import("./scene.js").Scene, live: import("./live.js").Live, api: import("./api.js").Api, terminal: import("./terminal.js").Terminal,
 *   actions: import("./actions.js").Actions, select: (id: string|null, among?: boolean) => void, show: (id: string) => void, edit: (yaml: string) => void, traffic: import("./traffic.js").Traffic,
 *   browser: import("./browser.js").Browser, chaos: (id: string) => void, look?: (revision: number) => void}} page
 */
export function setUpInteraction(page) {
  const { stage, scene, live, actions, select } = page;
  const eye = h("div.eye", { id: "eye", tabIndex: 0, role: "application" });
  const spoken = h("div.sr-only", { id: "spoken", "aria-live": "polite" });
  stage.host.append(eye, spoken);
  const selection = new Selection(stage, select);
  const travel = new Travel(stage, (text) => (spoken.textContent = text));

  const hands = once(async () => {
    const { Manipulate } = await import("./manipulate.js");
    made = new Manipulate({
      ...page, selection, travel,
      edit: async (id) => page.edit((await page.api.inspect(id)).yaml),
      traffic: (id) => aim(id), browser: (id) => surf(id), heal: (id) => void page.api.heal(scene.get(id)?.id).catch((/** @type {Error} */ error) => toast(error.message, true)),
    });
    return made;
  });
  /** @type {import("./manipulate.js").Manipulate|null} */
  let made = null;
  const palette = once(async () => (await import("./palette.js")).setUpPalette(() => [...(made?.entries() ?? []), ...actions.entries().filter((one) => one.id !== "palette")]));
  const help = once(async () => (await import("./help.js")).setUpHelp(byId("help"), page.api, actions));

  // the filter's field

  const input = h("input", { type: "text", id: "search", role: "combobox", "aria-expanded": "false", "aria-controls": "search-list", "aria-autocomplete": "list", autocomplete: "off", spellcheck: "false" });
  byId("bar-search").append(h("div.search", {}, icon("search"), input, h("kbd", { text: "/", "aria-hidden": "true" })));
  const search = once(async () => new (await import("./searchbar.js")).SearchBar({ input, stage, show: page.show, changed: () => address.note() }));
  input.addEventListener("focus", () => void search().then((bar) => (filter = bar)));
  /** @type {import("./searchbar.js").SearchBar|null} */
  let filter = null;
  const words = () => {
    input.placeholder = t("search.placeholder");
    input.setAttribute("aria-label", t("search.label.field"));
    eye.setAttribute("aria-label", t("travel.label"));
    eye.setAttribute("aria-description", t("travel.how"));
  };
  words();
  onLanguage(words);

  // the address

  const address = new ViewUrl({
    take: () => {
      const { x, y, zoom, view } = stage.camera;
      const panel = docks.folded("side") && !docks.NARROW.matches ? "" : docks.shown();
      return {
        eye: stage.auto ? undefined : [x + view.w / 2 / zoom, y + view.h / 2 / zoom, view.w / zoom], selected: selection.ids, filter: input.value.trim() || undefined,
        panel: panel === "editor" ? undefined : panel, at: live.past ?? undefined, group: stage.mode === "node" ? undefined : stage.mode,
      };
    },
    restore: (view) => void restore(view),
  });
  /** @param {import("./viewurl.js").View} view */
  const restore = async (view) => {
    if (view.at !== undefined && view.at !== live.past) page.look?.(view.at);
    if (view.group && /^(node|namespace|owner|label:[\w./-]+)$/.test(view.group)) stage.group(view.group);
    if (view.filter) {
      filter = await search();
      await filter.set(view.filter);
    }
    if (view.selected) selection.set(view.selected);
    if (view.panel === "") docks.set("side", { folded: true });
    else if (view.panel) docks.open(view.panel);
    if (view.eye) {
      const [x, y, width] = view.eye;
      const { camera } = stage;
      stage.zoomBy(camera.view.w / width / camera.zoom);
      camera.x = x - camera.view.w / 2 / camera.zoom;
      camera.y = y - camera.view.h / 2 / camera.zoom;
      stage.repaint();
    }
  };
  const first = scene.listen((update) => {
    if (!update.whole) return;
    first();
    requestAnimationFrame(() => address.restore());
  });
  new MutationObserver(() => address.note()).observe(byId("side-tabs"), { subtree: true, attributeFilter: ["aria-selected"] });
  live.on("past", () => address.note());
  stage.on("group", () => ((travel.boxes = null), address.note()));

  async function copy() {
    const url = address.href;
    url.searchParams.set("key", page.api.key);
    await clip(url.href).then(() => toast(t("share.viewCopied")), () => toast(url.href, true));
  }

  // the canvas

  let seen = "";
  stage.parts.onFrame = () => {
    const { x, y, zoom } = stage.camera;
    const now = `${x},${y},${zoom},${stage.width}`;
    if (now === seen) return;
    seen = now;
    travel.draw();
    made?.place();
    address.note();
  };
  stage.parts.onSelect = (id, more = false) => {
    eye.focus({ preventScroll: true });
    if (travel.at) travel.to(null);
    if (more && id) selection.toggle(id);
    else select(id);
  };
  stage.parts.onBox = (box, more) => selection.inside(box, more);
  stage.parts.onMenu = (id, x, y) => void hands().then((it) => it.menu(id, x, y));
  const { onHover } = stage.parts;
  stage.parts.onHover = (id, x, y) => {
    onHover(id, x, y);
    if (id && scalable(scene.get(id)) && !id.startsWith("Pod/")) void hands().then((it) => it.reach(id));
    else if (made?.held && made.held !== stage.selected) made.reach(stage.selected);
  };
  selection.listen(() => {
    address.note();
    if (selection.ids.length > 1 || scalable(scene.get(stage.selected ?? ""))) void hands().then((it) => it.reach(selection.ids.length === 1 ? stage.selected : null));
    else made?.reach(null);
  });
  eye.addEventListener("contextmenu", (/** @type {Event} */ event) => event.preventDefault());
  eye.addEventListener("keyup", (/** @type {KeyboardEvent} */ event) => event.key === "Tab" && (eye.classList.add("keyed"), travel.begin()));
  eye.addEventListener("blur", () => (eye.classList.remove("keyed"), stage.hover(null, 0, 0)));
  /** The palette's field is there at once, what is typed meanwhile is kept. */
  const command = async () => {
    const dialog = byId("palette");
    if (dialog.open) return dialog.close();
    if (!dialog.firstChild) dialog.append(h("input", { type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": "palette-list", "aria-autocomplete": "list", autocomplete: "off", spellcheck: "false" }));
    const field = dialog.firstChild;
    field.value = "";
    field.placeholder = t("palette.placeholder");
    dialog.querySelector("ul")?.replaceChildren();
    dialog.showModal();
    field.focus();
    let entered = false;
    const hold = (/** @type {KeyboardEvent} */ event) => event.key === "Enter" && (event.stopImmediatePropagation(), event.preventDefault(), (entered = true));
    field.addEventListener("keydown", hold, true);
    try {
      if (selection.ids.length) await hands();
      const list = await palette();
      if (dialog.open) list(entered);
    } finally {
      field.removeEventListener("keydown", hold, true);
    }
  };

  /** @param {string} id */
  function aim(id) {
    docks.open("traffic");
    const toggle = document.getElementById(`toggle-${id}`);
    if (toggle) return toggle.focus();
    page.traffic.given.target = page.traffic.target.value = id;
    page.traffic.target.focus();
  }
  /** @param {string} id */
  function surf(id) {
    const route = scene.get(id)?.routes?.[0];
    docks.open("browser");
    void page.browser.go(`http://${route && route.host !== "*" ? route.host : scene.get(id)?.addresses?.[0] ?? ""}${route?.path ?? "/"}`);
  }

  // everything by name

  const going = () => travel.at !== null || (stage.selected !== null && stage.layout.box(stage.selected) !== null);
  const target = () => travel.at ?? stage.selected;
  const sized = () => selection.ids.length < 2 && scalable(scene.get(target() ?? "")) && live.past === null;
  /** @param {(it: import("./manipulate.js").Manipulate) => any} act */
  const hand = (act) => () => void hands().then(act);
  const ring = hand((it) => {
    const id = target();
    const box = id ? stage.layout.box(id) : null;
    const b = box ? stage.camera.box(box) : { x: stage.width / 2, y: stage.height / 2, w: 0, h: 0 };
    return it.menu(id, Math.max(0, Math.min(stage.width, b.x + Math.min(b.w, 40))), Math.max(0, Math.min(stage.height, b.y + b.h / 2)));
  });
  /** @param {import("./canvas/travel.js").Way} way @param {string} key @param {number} dx @param {number} dy @returns {import("./actions.js").Action[]} */
  const arrows = (way, key, dx, dy) => [
    { id: `go.${way}`, label: () => "", key, where: "canvas", group: "keys.canvas", ...(way === "left" ? { about: () => t("travel.go"), shows: ARROWS } : {}), when: going, run: () => (eye.focus({ preventScroll: true }), travel.go(way)) },
    { id: `pan.${way}`, label: () => "", key: [key, `Shift+${key}`], group: "keys.canvas", ...(way === "left" ? { about: () => t("help.pan"), shows: ARROWS.map((one) => `Shift+${one}`) } : {}), run: () => stage.panBy(dx, dy) },
  ];
  actions.add(
    { id: "palette", label: () => t("palette.label"), key: "Ctrl+k", where: "everywhere", run: () => void command() },
    { id: "find", label: () => t("search.action"), key: "/", group: "keys.canvas", run: () => input.focus() },
    { id: "selectAll", label: () => t("select.all"), key: "Ctrl+a", where: "canvas", group: "keys.canvas", run: () => selection.set(filter?.matches.test ? filter.matches.list : scene.ofKind("Pod").filter(([, pod]) => !pod.system).map(([id]) => id)) },
    { id: "deselect", label: () => t("select.none"), key: "Escape", group: "keys.canvas", run: () => (travel.to(null), made?.bar.close(), select(null)) },
    { id: "travel", label: () => t("travel.action"), key: "g", group: "keys.canvas", run: () => (eye.focus({ preventScroll: true }), travel.begin()) },
    ...arrows("left", "ArrowLeft", 60, 0), ...arrows("right", "ArrowRight", -60, 0), ...arrows("up", "ArrowUp", 0, 60), ...arrows("down", "ArrowDown", 0, -60),
    { id: "inspect", label: () => t("travel.inspect"), key: "Enter", where: "canvas", group: "keys.canvas", when: going, run: () => (stage.selected === target() ? (docks.open("inspector"), byId("panel-inspector").querySelector("[tabindex='0'], button")?.focus()) : select(target())) },
    { id: "mark", label: () => t("travel.mark"), key: "Space", where: "canvas", group: "keys.canvas", when: () => travel.at !== null, run: () => (selection.toggle(/** @type {string} */ (travel.at)), travel.to(travel.at)) },
    { id: "owner", label: () => t("travel.owner"), key: "o", group: "keys.canvas", when: going, run: () => travel.follow("owner") },
    { id: "child", label: () => t("travel.child"), key: "c", group: "keys.canvas", when: going, run: () => travel.follow("child") },
    { id: "node", label: () => t("travel.node"), key: "n", group: "keys.canvas", when: going, run: () => travel.follow("node") },
    { id: "menu", label: () => t("menu.open"), key: ["m", "Shift+F10", "ContextMenu"], group: "keys.canvas", run: ring },
    { id: "scale", label: () => t("scaler.key"), key: "r", group: "keys.canvas", when: sized, run: hand((it) => it.step(0, target() ?? "")) },
    { id: "label", label: () => t("act.label"), key: "l", group: "keys.canvas", when: () => !!target() && live.past === null, run: hand((it) => it.selected("label")) },
    { id: "delete", label: () => t("act.delete"), key: "Delete", where: "canvas", group: "keys.canvas", when: () => !!target() && live.past === null, run: hand((it) => it.selected("delete")) },
    { id: "undo", label: () => t("bar.undo"), key: "Ctrl+z", where: "canvas", group: "keys.canvas", when: () => live.past === null, run: hand((it) => it.bar.undo()) },
    { id: "help", label: () => t("help.label"), key: "?", run: () => void help().then((open) => open()) },
  );
  actions.list(() => [...scene.things].filter(([, thing]) => !UNNAMED.has(thing.kind)).slice(0, MOST_NAMED).map(([id, thing]) => ({ label: thing.name, note: stateText(thing, t), hint: thing.kind, run: () => page.show(id) })));
  for (const event of ["pointermove", "keydown"]) addEventListener(event, () => void Promise.all([import("./palette.js"), import("./manipulate.js")]), { once: true });

  return { selection, travel, address, copy, hands, palette: () => void command(), help: () => void help().then((open) => open()) };
}
