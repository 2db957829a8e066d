/** What the picture shows at one point of a replay: a pure function of the script, the message that travels and how far it is. */
import { places, sums, ways } from "./places.js";
import { DOORS, fanOut, label, placed } from "./script.js";

/** @typedef {import("./script.js").Message} Message @typedef {import("./script.js").Step} Step */

const LOG = 60;

/** The part of its way at which a message that goes through all doors is at each. @param {import("../types").Point[]} points */
function doorsAt(points) {
  const all = sums(points);
  const whole = all.at(-1) || 1;
  return all.slice(-5, -1).map((sum) => sum / whole);
}

/** What etcd has written by then. @param {Step[]} steps @param {Message[]} messages @param {number} index @param {number} part @returns {import("./picture.js").Entry[]} */
function written(steps, messages, index, part) {
  const log = [];
  for (let i = Math.max(0, index - 4 * LOG); i <= index && i < messages.length; i++) {
    const { step, kind } = messages[i];
    if ((kind !== "etcd" && kind !== "request") || (i === index && part < 0.98)) continue;
    log.push({ revision: steps[step].revision, event: steps[step].event, kind: steps[step].kind, name: steps[step].name, at: i });
  }
  return log.slice(-LOG);
}

/** @param {Step} step @param {Message} message @param {number} part @param {number[]} at @returns {("passed"|"here"|"refused"|"skipped"|"")[]} */
function verdicts(step, message, part, at) {
  return DOORS.map((name, i) => {
    if (step.read && i > 1) return "skipped";
    if (message.kind === "schedule" || message.kind === "send") return "";
    if (message.kind === "request") return part >= (at[i] ?? 1) + 0.02 ? "passed" : part >= (at[i] ?? 1) - 0.04 ? "here" : "";
    if (message.kind === "refused") return name === message.stage.stage ? "refused" : i < (DOORS.includes(message.stage.stage) ? DOORS.indexOf(message.stage.stage) : 4) ? "passed" : "";
    const here = DOORS.indexOf(/** @type {any} */ (message.kind));
    return here < 0 || i < here ? "passed" : i === here ? (part < 0.9 ? "here" : "passed") : "";
  });
}

/**
 * @param {Step[]} steps @param {Message[]} messages @param {number} index @param {number} part 0 to 1 @param {string[]} names who stands in the picture
 * @param {number} w @param {number} h @param {(component: string) => boolean} healthy @returns {import("./picture.js").Shown}
 */
export function shown(steps, messages, index, part, names, w, h, healthy) {
  const log = written(steps, messages, index, part);
  /** @type {Map<string, number>} */
  const counts = new Map();
  const base = { names, log, revision: log.at(-1)?.revision ?? "", here: new Set(), letters: [], scheduling: null, healthy, counts, current: index, doors: /** @type {any} */ (["", "", "", ""]) };
  const message = messages[index];
  if (!message) return base;
  const step = steps[message.step];
  for (const step of new Set(messages.slice(0, index + 1).map((one) => one.step))) {
    const lane = placed(names, steps[step].lane);
    if (lane) counts.set(lane, (counts.get(lane) ?? 0) + 1);
  }
  const p = places(w, h, names);
  const lane = placed(names, step.lane) ?? "people";
  const fan = message.kind === "watch" ? fanOut(message.stage, names) : null;
  const all = ways(p, message, step, lane, fan?.hears);
  const here = new Set(message.kind === "watch" ? (part > 0.9 ? fan?.acts : []) : message.kind === "etcd" ? ["etcd"] : message.kind === "cache" ? ["cache"] : DOORS.includes(/** @type {any} */ (message.kind)) ? [] : [lane]);
  const letters = all.map((way) => ({
    points: way.points, part: ease(part), kind: message.kind === "answer" || message.kind === "refused" ? "Status" : step.kind, name: message.kind === "answer" ? "" : (step.minor && step.reason) || step.name || step.plural,
    label: message.kind === "watch" || !DOORS.includes(/** @type {any} */ (message.kind)) ? label(message, step) : "", faint: fan ? !fan.acts.has(way.to) : false, bad: message.kind === "refused", short: !!fan,
  }));
  return { ...base, here, letters, scheduling: message.kind === "schedule" ? message.stage : null, doors: verdicts(step, message, ease(part), message.kind === "request" && all[0] ? doorsAt(all[0].points) : []) };
}

/** @param {number} t */
export const ease = (t) => (t < 0.5 ? 2 * t * t : 1 - (2 - 2 * t) ** 2 / 2);
