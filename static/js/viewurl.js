/**
 * The address holds the view: after `#` stand where the eye is, the grouping, the filter, what is selected, the open panel and the past
 * that is looked at. Whoever opens the address sees the same. The page's parts come in; the address and its restoring go out.
 *
 * @typedef {{eye?: number[], group?: string, filter?: string, selected?: string[], panel?: string, view?: string, at?: number}} View `eye` is the middle and the width of what is seen
 */

/** So many selected things an address names. */
const MOST = 40;
const PANELS = new Set(["editor", "inspector", "traffic", "browser", "chaos", ""]);
/** What a name in an address may be. */
const THING = /^[A-Z]\w+\/[\w.-]*\/[\w.:>-]+$/;

/** @param {View} view */
export function written(view) {
  const words = new URLSearchParams();
  if (view.at !== undefined) words.set("at", `${view.at}`);
  if (view.eye) words.set("eye", view.eye.map((one) => Math.round(one * 10) / 10).join(","));
  if (view.view) words.set("view", view.view);
  if (view.group) words.set("group", view.group);
  if (view.filter) words.set("filter", view.filter);
  if (view.selected?.length) words.set("select", view.selected.slice(0, MOST).join(","));
  if (view.panel !== undefined) words.set("panel", view.panel);
  return `${words}`.replace(/%2F/g, "/").replace(/%2C/g, ",").replace(/%3A/g, ":");
}

/** @param {string} hash @returns {View} what of it can be understood */
export function read(hash) {
  const words = new URLSearchParams(hash.replace(/^#/, ""));
  /** @type {View} */
  const view = {};
  const eye = words.get("eye")?.split(",").map(Number) ?? [];
  if (eye.length === 3 && eye.every(Number.isFinite) && eye[2] > 0) view.eye = eye;
  const at = words.get("at") ?? "";
  if (/^\d{1,15}$/.test(at)) view.at = Number(at);
  const panel = words.get("panel");
  if (panel !== null && PANELS.has(panel)) view.panel = panel;
  const selected = (words.get("select") ?? "").split(",").filter((id) => THING.test(id)).slice(0, MOST);
  if (selected.length) view.selected = selected;
  for (const name of /** @type {const} */ (["group", "filter", "view"])) if (words.get(name)) view[name] = (words.get(name) ?? "").slice(0, 300);
  return view;
}

export class ViewUrl {
  /** @param {{take: () => View, restore: (view: View) => void}} page */
  constructor(page) {
    this.page = page;
    this.due = 0;
    this.restored = false;
    this.last = "";
    addEventListener("hashchange", () => this.restore());
  }

  /** Once there is a scene: shows what the address says. */
  restore() {
    this.restored = true;
    const hash = location.hash.replace(/^#/, "");
    if (hash && hash !== this.last) this.page.restore(read(hash));
    this.last = hash;
  }

  /** Something of the view has changed: soon the address says so. */
  note() {
    if (!this.restored || this.due) return;
    this.due = setTimeout(() => {
      this.due = 0;
      const hash = written(this.page.take());
      if (hash === this.last) return;
      this.last = hash;
      history.replaceState(history.state, "", `${location.pathname}${location.search}${hash ? `#${hash}` : ""}`);
    }, 400);
  }

  /** The address of this view. */
  get href() {
    const url = new URL(location.href);
    url.hash = written(this.page.take());
    return url;
  }
}
