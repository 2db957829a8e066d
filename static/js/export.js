/**
 * The picture as a file or on paper: what the canvas shows now, painted once more on a canvas of twice the points, or with a pen that
 * writes SVG. Above it stands one line: which room, when, which revision, and what is the matter. Loaded when first asked for.
 */
import { COLOURS, SANS } from "./canvas/colours.js";
import { overlay } from "./canvas/overlay.js";
import { Still } from "./canvas/still.js";
import { Vector, Way } from "./canvas/vector.js";
import { h, toast } from "./dom.js";
import { t } from "./i18n.js";
import { current } from "./theme.js";
import { clockTime } from "./virtualtime.js";

/** Height of the line above the picture, in pixels. */
const HEAD = 58;
const RATIO = 2;
/** Pods that an SVG has a shape each for. */
const MOST_DRAWN = 5000;
/** What stands over the canvas as page and is part of the picture. */
const OVER = ".callout:not([hidden])";

/** @typedef {{stage: any, replay: any, room: string, time: import("./virtualtime.js").VirtualTime, live: any}} Page @typedef {any} Pen */

/** The words above the picture. @param {Page} page */
export function title({ stage, room, time, live }) {
  return ["Podium", room, clockTime(time.now), t("rail.revision", { revision: live.past ?? stage.revision })].join(" · ");
}

/** What the page says of the cluster in words. */
const state = () => [...document.querySelectorAll(".plight")].map((one) => one.textContent?.replace(/^[✓✕◷↻]\s*/, "")).join(" · ");

/**
 * Paints with other pens what the canvas shows: the stage is told to use them for one frame, and then paints itself again.
 * @param {Page} page @param {[Pen, Pen, Pen]} pens of the still layer, the lines and the moving layer @param {number} ratio @param {"dark"|"light"} theme
 */
function paint({ stage, replay }, pens, ratio, theme) {
  const view = stage.host.dataset.view === "control" ? replay.view : null;
  const { lines, colours: shown, ratio: usual } = stage;
  const { c } = view ? view.picture : lines;
  const path = globalThis.Path2D;
  try {
    Object.assign(stage, { colours: COLOURS[theme], ratio });
    if (pens[0] instanceof Vector) globalThis.Path2D = /** @type {any} */ (Way);
    if (view) {
      const box = view.canvas.getBoundingClientRect();
      const host = stage.host.getBoundingClientRect();
      pens[0].setTransform(ratio, 0, 0, ratio, (box.left - host.left) * ratio, (box.top - host.top) * ratio);
      view.picture.c = pens[0];
      view.picture.paint(view.state(), stage.colours);
      return;
    }
    stage.repaint();
    const still = new Still(stage, pens[0]);
    still.share = Infinity;
    const now = stage.frozen ? stage.frozenAt : performance.now();
    still.paint(now);
    lines.c = pens[1];
    lines.touch();
    pens[2].setTransform(ratio, 0, 0, ratio, 0, 0);
    overlay(stage, pens[2], now);
  } finally {
    globalThis.Path2D = path;
    Object.assign(stage, { colours: shown, ratio: usual });
    if (view) view.picture.c = c;
    else lines.c = c;
    stage.repaint();
    view?.paint();
  }
}

/** Draws what the page has over the canvas, as it is laid: its boxes, and its words line by line. @param {Pen} c @param {DOMRect} host */
function over(c, host) {
  for (const element of document.querySelectorAll(`#stage ${OVER}`)) {
    const box = element.getBoundingClientRect();
    if (!box.width) continue;
    const look = getComputedStyle(element);
    const [x, y] = [box.left - host.left, box.top - host.top];
    c.fillStyle = look.backgroundColor;
    c.strokeStyle = look.borderTopColor;
    c.lineWidth = 1;
    c.beginPath();
    c.roundRect(x, y, box.width, box.height, Math.min(box.height / 2, parseFloat(look.borderTopLeftRadius) || 0));
    c.fill();
    c.stroke();
    const edge = parseFloat(look.borderLeftWidth);
    c.fillStyle = look.borderLeftColor;
    if (edge > 1) c.fillRect(x, y + 2, edge, box.height - 4);
    words(c, element, host);
  }
}

/** What its box cuts off is left out here too. @param {Pen} c @param {Element} element @param {DOMRect} host */
function words(c, element, host) {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = /** @type {Element} */ (node.parentElement);
    const { bottom } = (parent.closest(".call-why") ?? element).getBoundingClientRect();
    const look = getComputedStyle(parent);
    c.font = `${look.fontWeight} ${parseFloat(look.fontSize)}px ${look.fontFamily}`;
    c.fillStyle = look.color;
    c.textAlign = "left";
    c.textBaseline = "middle";
    let line = { text: "", x: 0, y: 0 };
    const write = () => line.text.trim() && c.fillText(line.text.trimEnd(), line.x, line.y);
    for (const { 0: word, index } of (node.textContent ?? "").matchAll(/[^\s-]*-+\s*|[^\s-]+\s*/g)) {
      range.setStart(node, index);
      range.setEnd(node, index + word.trimEnd().length);
      const [at] = range.getClientRects();
      if (!at) continue;
      const y = at.top + at.height / 2 - host.top;
      if (y > bottom - host.top) {
        if (line.text) line.text = `${line.text.trimEnd()}…`;
        break;
      }
      if (Math.abs(y - line.y) < 2) line.text += word;
      else write(), (line = { text: word, x: at.left - host.left, y });
    }
    write();
  }
}

/** @param {Pen} c @param {Page} page @param {number} width @param {"dark"|"light"} theme */
function head(c, page, width, theme) {
  const k = COLOURS[theme];
  c.fillStyle = k.ground;
  c.fillRect(0, 0, width, HEAD);
  Object.assign(c, { font: `600 15px ${SANS}`, fillStyle: k.text, textAlign: "left", textBaseline: "middle" });
  c.fillText(title(page), 16, 20);
  Object.assign(c, { font: `500 12.5px ${SANS}`, fillStyle: k.muted });
  c.fillText(state(), 16, 41);
}

/** With the page in a theme for as long as something is drawn. @template T @param {"dark"|"light"} theme @param {() => T} draw @returns {T} */
function within(theme, draw) {
  const { dataset } = document.documentElement;
  const before = dataset.theme;
  dataset.theme = theme;
  try {
    return draw();
  } finally {
    dataset.theme = before;
  }
}

/** @param {Page} page @param {"dark"|"light"} [theme] */
export function svg(page, theme = current()) {
  return within(theme, () => {
    const { width, height } = page.stage;
    const body = new Vector();
    paint(page, [body, body, body], 1, theme);
    if (page.stage.host.dataset.view !== "control") {
      body.setTransform(1, 0, 0, 1, 0, 0);
      over(body, page.stage.host.getBoundingClientRect());
    }
    const whole = new Vector();
    Object.assign(whole, { fillStyle: COLOURS[theme].ground });
    whole.fillRect(0, 0, width, height + HEAD);
    head(whole, page, width, theme);
    whole.defs = body.defs;
    whole.out.push(`<g transform="translate(0 ${HEAD})">`, ...body.out, "</g>");
    return whole.svg(width, height + HEAD, `${title(page)}. ${state()}`);
  });
}

/** @param {Page} page @returns {Promise<Blob>} */
export function png(page) {
  const { width, height } = page.stage;
  const sheet = () => {
    const canvas = h("canvas", { width: Math.round(width * RATIO), height: Math.round(height * RATIO) });
    return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  };
  const pens = /** @type {[Pen, Pen, Pen]} */ ([sheet(), sheet(), sheet()]);
  const theme = current();
  paint(page, pens, RATIO, theme);
  const canvas = h("canvas", { width: Math.round(width * RATIO), height: Math.round((height + HEAD) * RATIO) });
  const c = canvas.getContext("2d");
  c.fillStyle = COLOURS[theme].ground;
  c.fillRect(0, 0, canvas.width, canvas.height);
  for (const pen of pens) c.drawImage(pen.canvas, 0, HEAD * RATIO);
  c.setTransform(RATIO, 0, 0, RATIO, 0, HEAD * RATIO);
  if (page.stage.host.dataset.view !== "control") over(c, page.stage.host.getBoundingClientRect());
  c.setTransform(RATIO, 0, 0, RATIO, 0, 0);
  head(c, page, width, theme);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

/** @param {Blob} blob @param {string} name */
function save(blob, name) {
  const href = URL.createObjectURL(blob);
  const link = h("a", { href, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}

/** Gives the picture as a file. With more pods than an SVG can hold it is a PNG. @param {Page} page @param {"png"|"svg"} wanted */
export async function download(page, wanted) {
  const crowded = page.stage.layout.pods.size > MOST_DRAWN;
  if (wanted === "svg" && crowded) toast(t("share.crowded", { count: MOST_DRAWN }));
  const kind = crowded ? "png" : wanted;
  const name = `podium-${page.room}-${page.live.past ?? page.stage.revision}.${kind}`;
  save(kind === "png" ? await png(page) : new Blob([svg(page)], { type: "image/svg+xml" }), name);
}

/** On paper: light, the picture with what its marks mean, and nothing else. @param {Page} page */
export async function print(page) {
  const { marks } = await import("./help.js");
  document.getElementById("paper")?.remove();
  if (page.stage.layout.pods.size > MOST_DRAWN) return toast(t("share.crowded", { count: MOST_DRAWN }));
  const picture = new DOMParser().parseFromString(svg(page, "light"), "image/svg+xml").documentElement;
  document.body.append(h("div", { id: "paper" }, picture, h("h2", { text: t("legend.title") }), marks("light")));
  addEventListener("afterprint", () => document.getElementById("paper")?.remove(), { once: true });
  window.print();
}
