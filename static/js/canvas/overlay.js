/**
 * One frame of the moving layer: tethers below, then flows, pods in transition, requests, envelopes, and on top what is hovered
 * or selected with everything that belongs to it.
 */
import { refusal } from "../follow.js";
import { advance, rounded, write } from "./brush.js";
import { round } from "./cards.js";
import { MONO } from "./colours.js";
import { CROWD, cross, displaced } from "./motion.js";
import * as paint from "./paint.js";
import { SERVICE, SOURCE } from "./layout.js";
import { componentBox, RAIL } from "./rail.js";
import { caption, namespaces, regions } from "./regions.js";
import { bundled, end, gate, outset, route, trace } from "./tethers.js";

/** @typedef {import("./stage.js").Stage} Stage @typedef {CanvasRenderingContext2D} C @typedef {import("../types").Point} Point @typedef {import("../types").Box} Box */

/** With more pods than this a Service is tethered to nodes, with the count. */
const MANY = 40;
/** How far left of a node's door its count stands, in pixels: clear of the pods. */
const ASIDE = 16;
/** More that is selected is drawn once, below what moves. */
const MOST_OUTLINED = 60;
/** A pod of so many pixels has room for an edge of its own. */
const EDGED = 14;
/** More near misses than these are drawn only for the Service one looks at. */
const FEW = 4;

/** @type {Set<string>} */
const NOBODY = new Set();
/** What belongs with a thing is looked up again when the scene has changed, but not oftener than this, in milliseconds. */
const AGAIN = 150;
const last = { focus: "", revision: -1, at: -AGAIN, found: NOBODY };

/** @param {Stage} stage @param {string} focus @param {number} now */
function belonging(stage, focus, now) {
  const { revision } = stage.scene;
  if (focus === last.focus && (revision === last.revision || Math.abs(now - last.at) < AGAIN)) return last.found;
  Object.assign(last, { focus, revision, at: now, found: stage.related(focus) });
  return last.found;
}

/** @param {Stage} stage @param {C} c @param {number} now */
export function overlay(stage, c, now) {
  const k = stage.colours;
  c.save();
  c.beginPath();
  c.rect(0, RAIL, stage.width, stage.height - RAIL);
  c.clip();
  const focus = stage.hovered ?? stage.selected;
  const related = focus ? belonging(stage, focus, now) : NOBODY;
  stage.lines.paint((lines) => (tethers(stage, lines, focus, related), namespaces(stage, lines), many(stage, lines)));
  flows(stage, c, now);
  highlights(stage, c, focus, related);
  regions(stage, c, focus);
  moves(stage, c, now);
  stage.motion.draw(c, now, k);
  stage.guide?.draw(c, k);
  stage.plaques?.follow();
  stage.plaques?.draw(c);
  c.restore();
  c.save();
  c.beginPath();
  c.rect(0, 0, stage.width, RAIL + 1);
  c.clip();
  const walks = stage.motion.walks;
  stage.motion.walks = [];
  stage.motion.draw(c, now, k);
  stage.motion.walks = walks;
  for (const [id, colour] of [[stage.hovered, k.muted], [stage.selected, k.accent]]) {
    const at = id ? componentBox(stage.width, id) : null;
    if (!at) continue;
    c.strokeStyle = /** @type {string} */ (colour);
    c.lineWidth = 2;
    rounded(c, at.x - 2, at.y - 2, at.w + 4, at.h + 4, 10);
    c.stroke();
  }
  c.restore();
}

/** @param {Stage} stage @param {Point[]} points */
function pixels(stage, points) {
  return points.map((p) => ({ x: stage.camera.sx(p.x), y: stage.camera.sy(p.y) }));
}

/** @param {Stage} stage @param {C} c @param {string|null} focus @param {Set<string>} related */
function tethers(stage, c, focus, related) {
  const { layout, scene, colours: k, camera } = stage;
  taken = [];
  if (camera.zoom < 0.1) return;
  const r = 9 * camera.zoom;
  for (const id of layout.services.of.keys()) {
    const service = scene.get(id);
    if (!service) continue;
    const lit = focus === id || related.has(id);
    const solid = new Path2D();
    const dashed = new Path2D();
    const ghost = new Path2D();
    const endpoints = service.endpoints ?? [];
    const crowd = endpoints.length > MANY ? byNode(stage, endpoints.filter((one) => one.ready).map((one) => [one.pod, 1])) : null;
    const ways = (/** @type {boolean} */ ready) => endpoints.filter((one) => !!one.ready === ready && !displaced(stage.motion.moves.get(one.pod))).map((one) => route(layout, id, one.pod));
    for (const way of bundled(crowd ? [...crowd.keys()].map((node) => gate(layout, id, node)) : ways(true))) trace(solid, pixels(stage, way), r);
    if (!crowd) for (const way of bundled(ways(false))) trace(dashed, pixels(stage, way), r);
    const near = service.near ?? [];
    for (const one of focus === id || near.length <= FEW ? near : []) trace(ghost, pixels(stage, route(layout, id, one.pod)), r);
    const far = Math.min(1, Math.max(0.45, camera.zoom / 0.6));
    c.lineWidth = lit ? 2.25 : 1.5 * far;
    c.strokeStyle = k.tether;
    c.globalAlpha = lit ? 0.95 : focus ? 0.2 : 0.5 * far;
    c.stroke(solid);
    c.setLineDash([6, 5]);
    c.strokeStyle = k.pending;
    c.stroke(dashed);
    c.setLineDash([2, 6]);
    c.strokeStyle = k.failText;
    c.stroke(ghost);
    c.setLineDash([]);
    c.globalAlpha = 1;
    const flowing = [...layout.flows].some((source) => asked(scene.get(source)) === id && (scene.get(source)?.rate ?? 0) > CROWD);
    for (const [node, count] of (!flowing && crowd) || []) label(stage, c, pixels(stage, gate(layout, id, node)).at(-1), `${count}`);
  }
  for (const id of layout.flows) {
    const source = scene.get(id);
    if (!source) continue;
    const path = new Path2D();
    trace(path, pixels(stage, outset(layout, id, source)), r);
    c.lineWidth = source.source ? 2 : 1.5;
    c.strokeStyle = source.source ? k.request : k.strong;
    c.globalAlpha = source.source ? 0.7 : 1;
    c.stroke(path);
    c.globalAlpha = 1;
  }
}

/** The Service that a source's requests come to, if any. @param {import("../types").Thing|undefined} source */
const asked = (source) => source?.service ?? source?.target ?? "";

/** Above a couple of hundred a second a request is not seen: a line as wide as its count, and the count. @param {Stage} stage @param {C} c @param {number} now */
function flows(stage, c, now) {
  const { layout, scene, colours: k, camera } = stage;
  stage.crosses = [];
  taken = [];
  for (const id of layout.flows) {
    const source = scene.get(id);
    if (!source) continue;
    const first = outset(layout, id, source);
    const target = asked(source);
    if ((source.rate ?? 0) > CROWD) {
      const paths = ends(source);
      const nodes = byNode(stage, paths.map((path) => [path.pod, path.rate]));
      const bundled = paths.length > MANY;
      /** @type {[Point[], number][]} */
      const ways = [[first, (source.ok ?? 0) + (source.failed ?? 0)]];
      if (bundled) for (const [node, rate] of nodes) ways.push([gate(layout, target, node), rate]);
      else for (const path of layout.serviceBox(target) ? paths : []) ways.push([route(layout, target, path.pod), path.rate]);
      flow(stage, c, ways.map(([points, rate]) => [pixels(stage, points), rate]), now);
      for (const [node, rate] of nodes) {
        const pod = bundled ? undefined : paths.find((path) => layout.pods.get(path.pod)?.place === node)?.pod;
        label(stage, c, entrance(stage, target, node, pod), `${round(rate)}/s`);
      }
    }
    const place = source.error && (source.failed ?? 0) > 0 ? end(layout, id, source) : null;
    if (source.error && place) {
      stage.crosses.push({ ...place, id });
      cross(c, camera.sx(place.x), camera.sy(place.y), 1, k);
      const box = layout.serviceBox(target);
      const from = layout.sourceBox(id);
      if (from && !stage.plaques?.says(id) && camera.zoom > 0.5 && (!box || box.h === SERVICE.h) && from.h === SOURCE.h) caption(c, refusal(source.error, stage.t), camera.sx(from.x), camera.sy(from.y + from.h) + 5, (from.w + (box ? 40 : 40 + SERVICE.w)) * camera.zoom, k);
    }
  }
}

/** Where a source's requests leave its Service for: those that pass them on, else the pods that answer. @param {import("../types").Thing} source @returns {{pod: string, rate: number}[]} */
function ends({ through, paths = [], rate = 0 }) {
  return through?.length ? through.map((pod) => ({ pod, rate: rate / through.length })) : paths;
}

/** Where the count of a node's requests stands: on the line, as it comes in. @param {Stage} stage @param {string} service @param {string} node @param {string} [pod] @returns {Point|undefined} */
function entrance(stage, service, node, pod) {
  const bin = stage.layout.nodeBox(node);
  const points = pod ? route(stage.layout, service, pod) : gate(stage.layout, service, node);
  if (!bin || points.length < 2) return undefined;
  const y = pod ? points[points.length - 2].y : points[points.length - 1].y;
  return { x: stage.camera.sx(bin.x) - ASIDE, y: stage.camera.sy(y) };
}

/**
 * Flows that share a stretch are one line there, as wide as their sum. Ways are corner points in pixels, every stretch upright or level.
 * @param {Stage} stage @param {C} c @param {[Point[], number][]} ways @param {number} now
 */
function flow(stage, c, ways, now) {
  const k = stage.colours;
  c.lineCap = "round";
  const near = Math.min(1, Math.max(0.4, stage.camera.zoom / 0.7));
  for (const { from, to, rate } of stretches(ways)) {
    c.beginPath();
    c.moveTo(from.x, from.y);
    c.lineTo(to.x, to.y);
    c.strokeStyle = k.flow;
    c.lineWidth = Math.min(14, 2 + 2.2 * Math.log10(Math.max(1, rate))) * near;
    c.stroke();
  }
  c.lineCap = "butt";
  c.strokeStyle = k.tether;
  c.globalAlpha = 0.95;
  c.lineWidth = Math.max(1, 2 * near);
  c.setLineDash([3, 13]);
  if (!stage.still.matches) c.lineDashOffset = -(now / 14) % 16;
  const seen = new Set();
  for (const [points] of ways) {
    c.beginPath();
    trace(c, unseen(points, seen), 9 * stage.camera.zoom);
    c.stroke();
  }
  c.setLineDash([]);
  c.lineDashOffset = 0;
  c.globalAlpha = 1;
}

/** The part of a way that no earlier one has run along. @param {Point[]} points @param {Set<string>} seen */
function unseen(points, seen) {
  let first = 0;
  for (let i = 1; i < points.length; i++) {
    const key = `${points[i - 1].x},${points[i - 1].y},${points[i].x},${points[i].y}`;
    if (seen.has(key) && first === i - 1) first = i;
    seen.add(key);
  }
  return points.slice(first);
}

/** Cuts ways at each other's corners and sums what runs along each piece. @param {[Point[], number][]} ways @returns {{from: Point, to: Point, rate: number}[]} */
export function stretches(ways) {
  /** @type {Map<string, {upright: boolean, at: number, cuts: Map<number, number>}>} a line -> where along it how much more runs */
  const lines = new Map();
  for (const [points, rate] of ways) {
    for (let i = 1; i < points.length; i++) {
      const [a, b] = [points[i - 1], points[i]];
      const upright = Math.abs(a.x - b.x) < 0.5;
      const at = upright ? a.x : a.y;
      const key = `${upright}${Math.round(at * 4)}`;
      const line = lines.get(key) ?? { upright, at, cuts: new Map() };
      lines.set(key, line);
      const [from, to] = (upright ? [a.y, b.y] : [a.x, b.x]).map((v) => Math.round(v * 4) / 4).sort((p, q) => p - q);
      line.cuts.set(from, (line.cuts.get(from) ?? 0) + rate);
      line.cuts.set(to, (line.cuts.get(to) ?? 0) - rate);
    }
  }
  const found = [];
  for (const { upright, at, cuts } of lines.values()) {
    const places = [...cuts].sort((p, q) => p[0] - q[0]);
    let rate = 0;
    for (let i = 0; i + 1 < places.length; i++) {
      rate += places[i][1];
      if (rate < 1e-6) continue;
      const [from, to] = [places[i][0], places[i + 1][0]];
      found.push(upright ? { from: { x: at, y: from }, to: { x: at, y: to }, rate } : { from: { x: from, y: at }, to: { x: to, y: at }, rate });
    }
  }
  return found;
}

/** Where the labels of this drawing are: another that would lie on one of them is left out. @type {{x: number, y: number, w: number}[]} */
let taken = [];
/** No label reaches further from its middle, in pixels. */
const LABEL = 60;

/** A count on a line. @param {Stage} stage @param {C} c @param {Point|undefined} at @param {string} text */
function label(stage, c, at, text) {
  if (!at || stage.camera.zoom < 0.4 || at.x < -LABEL || at.y < -LABEL || at.x > stage.width + LABEL || at.y > stage.height + LABEL) return;
  const font = `600 10.5px ${MONO}`;
  c.font = font;
  const w = text.length * advance(c) + 10;
  if (taken.some((one) => Math.abs(one.x - at.x) < (one.w + w) / 2 && Math.abs(one.y - at.y) < 16)) return;
  taken.push({ x: at.x, y: at.y, w });
  c.fillStyle = stage.colours.panel;
  rounded(c, at.x - w / 2, at.y - 8, w, 16, 5);
  c.fill();
  write(c, text, at.x, at.y + 0.5, font, stage.colours.text, "center");
}

/** Sums a figure of pods over the nodes they are on. @param {Stage} stage @param {[string, number][]} pods @returns {Map<string, number>} */
function byNode(stage, pods) {
  const sums = new Map();
  for (const [pod, figure] of pods) {
    const place = stage.layout.pods.get(pod)?.place;
    if (place && place !== "tray") sums.set(place, (sums.get(place) ?? 0) + figure);
  }
  return sums;
}

/** @param {Stage} stage @param {C} c @param {number} now */
function moves(stage, c, now) {
  for (const [, move] of stage.motion.moves) {
    const t = Math.min(1, Math.max(0, (now - move.born) / move.span));
    const e = 1 - (1 - t) ** 3;
    const from = move.from ?? move.to;
    const to = move.to ?? move.from;
    if (!from || !to) continue;
    const box = { x: from.x + (to.x - from.x) * e, y: from.y + (to.y - from.y) * e, w: from.w + (to.w - from.w) * e, h: from.h + (to.h - from.h) * e };
    const b = stage.camera.box(box);
    const size = !move.from ? 0.6 + 0.4 * e : !move.to ? 1 - 0.5 * e : from.x === to.x && from.y === to.y ? 1 + 0.06 * Math.sin(Math.PI * t) : 1;
    c.save();
    c.globalAlpha = !move.from ? e : !move.to ? 1 - e : 1;
    c.translate(b.x + b.w / 2, b.y + b.h / 2);
    c.scale(size, size);
    paint.pod(c, move.thing, { x: -b.w / 2, y: -b.h / 2, w: b.w, h: b.h }, stage.colours, stage.time.now, false);
    c.restore();
  }
}

/** A large selection: an edge around each that is in view; where there is no room for one a tint, over all that stand side by side at once. @param {Stage} stage @param {C} c */
function many(stage, c) {
  const { selection, layout, camera } = stage;
  if (selection.size <= MOST_OUTLINED) return;
  c.fillStyle = c.strokeStyle = stage.colours.accent;
  c.lineWidth = 2;
  /** @param {Box|null} world */
  const edge = (world) => {
    if (!world || !stage.sees(world)) return;
    const b = camera.box(world);
    c.strokeRect(b.x + 1, b.y + 1, b.w - 2, b.h - 2);
  };
  for (const id of selection) if (!id.startsWith("Pod/")) edge(layout.box(id));
  for (const id of layout.tray.of.keys()) if (selection.has(id)) edge(layout.box(id));
  const { x, y, zoom, view } = camera;
  for (const place of layout.within({ x, y, w: view.w / zoom, h: view.h / zoom })) {
    const cells = layout.cellsOf(place);
    if (!cells) continue;
    const { slots, across } = layout.bin(place).grid;
    const size = cells.size * zoom;
    const [left, top] = [camera.sx(cells.x), camera.sy(cells.y)];
    const outlined = size >= EDGED;
    c.globalAlpha = outlined ? 1 : 0.55;
    const first = Math.max(0, Math.floor((view.y - top) / size));
    const last = Math.min(Math.ceil(slots.extent / across) - 1, Math.floor((view.y + view.h - top) / size));
    for (let row = first; row <= last; row++) {
      let run = 0;
      for (let column = 0; column <= across; column++) {
        const id = column < across ? slots.at[row * across + column] : undefined;
        const chosen = id !== undefined && selection.has(id);
        if (outlined) chosen && edge(layout.podBox(id));
        else if (chosen) run++;
        else if (run) c.fillRect(left + (column - run) * size, top + row * size, run * size, size), (run = 0);
      }
    }
    c.globalAlpha = 1;
    for (const id of layout.bin(place).system.of.keys()) if (selection.has(id)) edge(layout.podBox(id));
  }
}

/** @param {Stage} stage @param {C} c @param {string|null} focus @param {Set<string>} related */
function highlights(stage, c, focus, related) {
  const k = stage.colours;
  /** @param {string} id @param {string} colour @param {number} width */
  const outline = (id, colour, width) => {
    const world = stage.layout.box(id);
    if (!world) return;
    const b = stage.camera.box(world);
    const pad = id.startsWith("Pod/") ? Math.max(0, b.w * 0.015) : -2;
    c.strokeStyle = colour;
    c.lineWidth = width;
    rounded(c, b.x + pad, b.y + pad, b.w - 2 * pad, b.h - 2 * pad, id.startsWith("Pod/") ? b.w * 0.14 : (id.startsWith("Traffic/") ? 48 : 11) * stage.camera.zoom);
    c.stroke();
  };
  for (const id of related) outline(id, k.accent, 1.5);
  if (stage.hovered) outline(stage.hovered, k.muted, 1.5);
  if (stage.selection.size <= MOST_OUTLINED) for (const id of stage.selection) if (id !== stage.selected) outline(id, k.accent, 2.25);
  if (stage.selected) outline(stage.selected, k.accent, 2.25);
}
