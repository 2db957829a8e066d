/**
 * What is drawn over the canvas of relations that are no tether: the fence on pods that NetworkPolicies isolate; and, of what one looks at,
 * whom a policy lets in and out, what a pod mounts and reads, which label keeps a pod out of a Service, where an Ingress leads. Only
 * what is in view is drawn, and of what one looks at so many at most.
 */
import { fitted, rounded, write } from "./brush.js";
import { MONO, SANS } from "./colours.js";
import { RAIL } from "./rail.js";
import { reach } from "./policies.js";
import { servicesOf } from "./relations.js";
import { between, trace } from "./tethers.js";

/** @typedef {import("./stage.js").Stage} Stage @typedef {CanvasRenderingContext2D} C @typedef {import("../types").Box} Box @typedef {import("../types").Thing} Thing */

/** A pod smaller than this, in pixels, wears no fence. */
const GLYPH = 26;
/** And than this, no namespace. */
const TABBED = 36;
/** What a cluster has of itself. */
const OWN = /^(default|kube-(system|public|node-lease))$/;
const MOST_LINES = 40;
const MOST_CHIPS = 6;
/** Left of a Service's card the lines of Ingresses run, so far apart. */
const LANE = 5;

/** A policy's reach is worked out again no oftener than this, in milliseconds. */
const AGAIN = 250;
/** @type {{policy: Thing|null, at: number, found: ReturnType<typeof reach>|null}} */
const last = { policy: null, at: 0, found: null };

/** @param {Stage} stage @param {C} c @param {string|null} focus */
export function regions(stage, c, focus) {
  fenced(stage, c);
  ingresses(stage, c, focus);
  const thing = focus ? stage.scene.get(focus) : undefined;
  if (!focus || !thing) return;
  if (thing.kind === "NetworkPolicy") policy(stage, c, thing);
  else if (thing.kind === "Pod") mounted(stage, c, focus, thing);
  else if (thing.kind === "Service") misses(stage, c, thing);
}

/** @param {Stage} stage @param {string} id @returns {Box|null} in pixels, if it is in view */
function seen(stage, id) {
  const world = stage.layout.box(id);
  const b = world && stage.camera.box(world);
  return b && b.x + b.w > 0 && b.x < stage.width && b.y + b.h > RAIL && b.y < stage.height ? b : null;
}

/** Every isolated pod has its fence: a lock at its corner, barred on the side that is closed. @param {Stage} stage @param {C} c */
function fenced(stage, c) {
  const { policies, camera, layout } = stage;
  if (!policies?.fences.size || camera.zoom * 66 < GLYPH) return;
  const { view, zoom } = camera;
  const bins = layout.within({ x: camera.x, y: camera.y, w: view.w / zoom, h: view.h / zoom });
  for (const pods of [layout.tray.of, ...bins.map((id) => layout.bin(id).grid.slots.of)])
    for (const id of pods.keys()) {
      const fence = policies.fences.get(id);
      const b = fence && seen(stage, id);
      if (b && b.w >= GLYPH) lock(c, b.x + b.w * 0.84, b.y + b.h * 0.16, Math.max(6, Math.min(11, b.w * 0.13)), stage.colours, fence);
    }
}

/**
 * In the nodes a pod tells its namespace, unless it is `default`; kept quiet, and only where there is room for words.
 * @param {Stage} stage @param {C} c
 */
export function namespaces(stage, c) {
  const { camera, layout, scene, colours: k } = stage;
  if (stage.mode === "namespace" || camera.zoom * 66 < TABBED || ![...scene.ofKind("Namespace")].some(([, one]) => !OWN.test(one.name))) return;
  const { view, zoom } = camera;
  const bins = layout.within({ x: camera.x, y: camera.y, w: view.w / zoom, h: view.h / zoom });
  for (const pods of [layout.tray.of, ...bins.map((id) => layout.bin(id).grid.slots.of)])
    for (const id of pods.keys()) {
      const pod = scene.get(id);
      if (!pod?.ns || pod.system || pod.ns === "default") continue;
      const b = seen(stage, id);
      if (b && b.w >= TABBED) tab(c, pod.ns, b.x + b.w * 0.42, b.y + b.w * 0.08, b.w * 0.8, Math.max(9, Math.min(12, b.w * 0.17)), k);
    }
}

/** A namespace's name on a tab. @param {C} c @param {string} name @param {number} x its middle @param {number} y @param {number} most @param {number} size @param {import("./colours.js").Colours} k */
export function tab(c, name, x, y, most, size, k) {
  const font = `550 ${size}px ${SANS}`;
  c.font = font;
  const text = fitted(c, name, most - 6);
  const w = c.measureText(text).width + 6;
  c.fillStyle = k.panel;
  c.strokeStyle = k.strong;
  c.lineWidth = 1;
  rounded(c, x - w / 2, y - size * 0.68, w, size * 1.36, 3);
  c.fill();
  c.stroke();
  write(c, text, x, y + 0.5, font, k.muted, "center");
}

/** A padlock on a disc. An arrow's side tells which way is closed: left of it what comes in, right what goes out. @param {C} c @param {number} x @param {number} y @param {number} r @param {import("./colours.js").Colours} k @param {import("./policies.js").Fence} fence */
export function lock(c, x, y, r, k, fence) {
  c.fillStyle = k.panel;
  c.strokeStyle = k.text;
  c.lineWidth = Math.max(1, r / 6);
  c.beginPath();
  c.arc(x, y, r, 0, 7);
  c.fill();
  c.stroke();
  c.fillStyle = k.text;
  rounded(c, x - r * 0.42, y - r * 0.1, r * 0.84, r * 0.62, r * 0.1);
  c.fill();
  c.lineWidth = Math.max(1, r / 5);
  c.beginPath();
  c.arc(x, y - r * 0.1, r * 0.28, Math.PI, 0);
  c.stroke();
  if (fence.ingress && fence.egress) return;
  c.lineWidth = Math.max(1, r / 5);
  c.beginPath();
  const side = fence.ingress ? x - r : x + r;
  c.moveTo(side, y - r);
  c.lineTo(side, y + r);
  c.stroke();
}

/** A policy one looks at: the pods it closes are shaded, lines come from whom it lets in and go to whom it lets out. @param {Stage} stage @param {C} c @param {Thing} thing */
function policy(stage, c, thing) {
  const k = stage.colours;
  if (last.policy !== thing || performance.now() - last.at > AGAIN) Object.assign(last, { policy: thing, at: performance.now(), found: reach(stage.scene, thing) });
  const { selected, ingress, egress } = /** @type {ReturnType<typeof reach>} */ (last.found);
  const shown = selected.slice(0, 400);
  for (const id of shown) {
    const b = seen(stage, id);
    if (!b) continue;
    c.fillStyle = k.failText;
    c.globalAlpha = 0.16;
    rounded(c, b.x, b.y, b.w, b.h, b.w * 0.14);
    c.fill();
    c.globalAlpha = 1;
    c.strokeStyle = k.failText;
    c.lineWidth = 1.5;
    c.setLineDash([4, 3]);
    c.stroke();
    c.setLineDash([]);
  }
  const first = shown.find((id) => seen(stage, id));
  if (!first) return;
  let lines = 0;
  for (const [side, inward] of /** @type {const} */ ([[ingress, true], [egress, false]])) {
    for (const peer of side.pods) {
      if (++lines > MOST_LINES || peer === first) continue;
      const points = (inward ? between(stage.layout, peer, first) : between(stage.layout, first, peer)).map((p) => ({ x: stage.camera.sx(p.x), y: stage.camera.sy(p.y) }));
      if (points.length < 2) continue;
      c.strokeStyle = k.done;
      c.lineWidth = 2;
      c.beginPath();
      trace(c, points, 9 * stage.camera.zoom);
      c.stroke();
      const end = points[points.length - 1];
      c.fillStyle = k.done;
      c.beginPath();
      c.moveTo(end.x, end.y + 4);
      c.lineTo(end.x - 4.5, end.y - 4);
      c.lineTo(end.x + 4.5, end.y - 4);
      c.fill();
    }
  }
  const { t } = stage;
  const words = [ingress, egress].map((side, index) => {
    if (!side.closed) return "";
    const who = side.anyone ? t("policy.anyone") : [side.pods.length ? t("region.pods", { count: side.pods.length }) : "", ...side.blocks].filter(Boolean).join(", ") || t("policy.nothing");
    return `${t(index ? "fact.egress" : "fact.ingress")}: ${who}`;
  }).filter(Boolean);
  const b = /** @type {Box} */ (seen(stage, first));
  chips(stage, c, b, words, k.failText);
}

/** What a pod one looks at mounts and reads: claims by a line to their cards, ConfigMaps and Secrets by name. @param {Stage} stage @param {C} c @param {string} id @param {Thing} pod */
function mounted(stage, c, id, pod) {
  const b = seen(stage, id);
  if (!b || b.w < 20) return;
  const k = stage.colours;
  for (const claim of pod.claims ?? []) {
    const card = seen(stage, claim);
    if (!card) continue;
    c.strokeStyle = k.accent;
    c.lineWidth = 1.5;
    c.setLineDash([2, 4]);
    c.beginPath();
    trace(c, [{ x: b.x + b.w * 0.8, y: b.y + b.h / 2 }, { x: card.x - 14, y: b.y + b.h / 2 }, { x: card.x - 14, y: card.y + card.h / 2 }, { x: card.x, y: card.y + card.h / 2 }], 8);
    c.stroke();
    c.setLineDash([]);
  }
  chips(stage, c, b, [...(pod.claims ?? []).map((claim) => `PVC ${claim.split("/")[2]}`), ...(pod.uses ?? []).map((one) => one.split("/").filter((_, index) => index !== 1).join(" "))], k.muted);
}

/** The pods that one label keeps out of a Service: the label that they have. @param {Stage} stage @param {C} c @param {Thing} service */
function misses(stage, c, service) {
  for (const { pod, key, have } of (service.near ?? []).slice(0, MOST_CHIPS)) {
    const b = seen(stage, pod);
    if (b && b.w >= 30) chips(stage, c, b, [have === undefined ? stage.t("call.without", { key }) : `${key}=${have}`], stage.colours.failText);
  }
}

/** Words under a pod, one a line. @param {Stage} stage @param {C} c @param {Box} b @param {string[]} words @param {string} colour */
function chips(stage, c, b, words, colour) {
  const k = stage.colours;
  const font = `550 11px ${MONO}`;
  c.font = font;
  const lines = words.length > MOST_CHIPS ? [...words.slice(0, MOST_CHIPS - 1), `+${words.length - MOST_CHIPS + 1}`] : words;
  lines.forEach((text, index) => {
    const w = Math.min(280, c.measureText(text).width + 12);
    const x = Math.min(stage.width - w - 4, Math.max(4, b.x + b.w / 2 - w / 2));
    const y = b.y + b.h + 3 + index * 20;
    c.fillStyle = k.panel;
    c.strokeStyle = colour;
    c.lineWidth = 1;
    rounded(c, x, y, w, 18, 5);
    c.fill();
    c.stroke();
    write(c, text, x + 6, y + 9.5, font, k.text, "left", w - 12, true);
  });
}

/** From each Ingress to the Services that its rules lead to. @param {Stage} stage @param {C} c @param {string|null} focus */
function ingresses(stage, c, focus) {
  const { scene, layout, camera, colours: k } = stage;
  if (!scene.kinds.has("Ingress") || camera.zoom < 0.1) return;
  let lane = 0;
  for (const [id, ingress] of scene.ofKind("Ingress").slice(0, MOST_LINES)) {
    const from = layout.serviceBox(id);
    if (!from) continue;
    const x = from.x - 8 - (lane++ % 4) * LANE;
    const lit = focus === id || servicesOf(ingress).includes(focus ?? "");
    const start = from.y + from.h / 2;
    for (const service of servicesOf(ingress)) {
      const to = layout.serviceBox(service);
      if (!to) continue;
      const y = to.y + Math.min(to.h / 2, 17);
      const points = [{ x: from.x, y: start }, { x, y: start }, { x, y }, { x: to.x, y }].map((p) => ({ x: camera.sx(p.x), y: camera.sy(p.y) }));
      c.strokeStyle = lit ? k.accent : k.strong;
      c.lineWidth = lit ? 2 : 1.5;
      c.beginPath();
      trace(c, points, 6 * camera.zoom);
      c.stroke();
      const end = points[3];
      c.fillStyle = c.strokeStyle;
      c.beginPath();
      c.moveTo(end.x, end.y);
      c.lineTo(end.x - 6, end.y - 3.5);
      c.lineTo(end.x - 6, end.y + 3.5);
      c.fill();
    }
  }
}

/** @param {C} c @param {string} text @param {number} x @param {number} y @param {number} w @param {import("./colours.js").Colours} k */
export function caption(c, text, x, y, w, k) {
  write(c, text, x + 4, y + 6, `550 11px ${SANS}`, k.failText, "left", w);
}
