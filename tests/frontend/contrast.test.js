/** What is written can be read on whatever it is written on: every colour of a text against every ground and tint of the style sheets, by WCAG's formula. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { COLOURS } from "../../static/js/canvas/colours.js";

const CSS = new URL("../../static/css/", import.meta.url);
const sheets = Object.fromEntries(readdirSync(CSS).filter((name) => name.endsWith(".css")).map((name) => [name, readFileSync(new URL(name, CSS), "utf8")]));
const LEAST = 4.5;
const SURFACES = ["ground", "raised", "sunken", "field", "hover"];
const WORDS = ["text", "muted", "faint"];
const TONES = ["accent", "ready", "pending", "failing", "done", "unknown", "string", "key", "number"];

/** @returns {{r: number, g: number, b: number, a: number}} */
function colour(text) {
  const hex = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text);
  if (hex) return { r: parseInt(hex[1], 16), g: parseInt(hex[2], 16), b: parseInt(hex[3], 16), a: 1 };
  const [r, g, b, a = 1] = /^rgb\(([^)]*)\)$/.exec(text)[1].split(/[\s,/]+/).map(Number);
  return { r, g, b, a };
}
const over = (top, bottom, part = top.a) => ({ r: top.r * part + bottom.r * (1 - part), g: top.g * part + bottom.g * (1 - part), b: top.b * part + bottom.b * (1 - part), a: 1 });
const channel = (value) => ((value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
const light = ({ r, g, b }) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const contrast = (one, other) => (Math.max(light(one), light(other)) + 0.05) / (Math.min(light(one), light(other)) + 0.05);

/** The tokens of a theme. @param {string} theme */
function tokens(theme) {
  const block = sheets["tokens.css"].slice(sheets["tokens.css"].indexOf(`[data-theme="${theme}"] {`)).split("}")[0];
  return Object.fromEntries([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6}|rgb\([^)]*\));/gi)].map(([, name, value]) => [name, colour(value)]));
}

/** Every tint that the style sheets lay under text: what it is for, the token, how much of it, and on what. */
const tints = Object.entries(sheets).flatMap(([sheet, text]) => [...text.matchAll(/([^{}]+)\{[^{}]*?background:\s*color-mix\(in srgb, var\(--([\w-]+)\) (\d+)%, (?:transparent|var\(--(\w+)\))\)/g)]
  .map(([, selector, token, part, base]) => ({ where: `${sheet}: ${selector.trim().split("\n").pop()}`, token, part: Number(part) / 100, bases: base ? [base] : ["raised", "sunken"] })));

/** What is written in other colours than that of plain text on a tint: a part of its selector, and the tokens. */
const USED = {
  ".follow .way li[aria-current]": ["failing", "text"], ".yaml .changed": ["key", "string", "number"], ".yaml .pointed": ["key", "string", "number"], ".code .hit": ["key", "string", "number"],
  "table.lines .plus": ["ready"], "table.lines .minus": ["failing"], "[data-past] .bottom-bar": ["muted", "faint", "done"], ".cm-searchMatch": ["key", "string", "number"], "::highlight(found)": ["text"],
};

/** Each pair that is below the least, and by how much. */
function faults(theme, names, grounds) {
  const all = tokens(theme);
  return grounds(all).flatMap(([where, ground]) => names.map((name) => [`${theme}: --${name} on ${where}`, contrast(all[name], ground)])).filter(([, ratio]) => ratio < LEAST).map(([what, ratio]) => `${what}: ${ratio.toFixed(2)}`);
}
const surfaces = (all) => SURFACES.map((name) => [`--${name}`, all[name]]);
/** A selected row, a current step: the soft accent on whatever is below it. */
const soft = (all) => ["raised", "sunken", "ground"].map((name) => [`--accent-soft on --${name}`, over(all["accent-soft"], all[name])]);
const tinted = (part) => (all) => tints.filter(({ where }) => where.includes(part)).flatMap(({ where, token, part, bases }) => bases.map((name) => [`${where} on --${name}`, over(all[token], all[name], part)]));

test("the tints are found in the style sheets", () => {
  for (const part of Object.keys(USED)) assert.ok(tints.some(({ where }) => where.includes(part)), part);
});

for (const theme of ["dark", "light"]) {
  test(`${theme}: words can be read on every ground, also the faint ones, and plain text on every tint`, () => {
    assert.deepEqual([...faults(theme, WORDS, surfaces), ...faults(theme, WORDS, soft), ...faults(theme, ["text"], tinted(""))], []);
  });

  test(`${theme}: words in the colour of a state can be read on every ground that they stand on`, () => {
    assert.deepEqual([...faults(theme, TONES, surfaces), ...faults(theme, TONES, soft), ...Object.entries(USED).flatMap(([part, names]) => faults(theme, names, tinted(part)))], []);
  });
}

for (const [theme, all] of Object.entries(COLOURS)) {
  const grounds = ["ground", "panel", "panel2"];
  const low = (names, least) => names.flatMap((name) => grounds.map((ground) => [`${theme}: ${name} on ${ground}`, contrast(colour(all[name]), colour(all[ground]))])).filter(([, ratio]) => ratio < least).map(([what, ratio]) => `${what}: ${ratio.toFixed(2)}`);

  test(`${theme}: the canvas's words can be read, and its marks be seen`, () => {
    assert.deepEqual(low(["text", "muted", "faint", "okText", "waitText", "failText", "accent", "unknown"], LEAST), []);
    assert.deepEqual(low(["ready", "pending", "failing", "done", "unknown", "tether"], 3), []);
  });
}

test("no word on the canvas is written in the colour of a mark, which need not be readable", () => {
  const folder = new URL("../../static/js/canvas/", import.meta.url);
  for (const name of readdirSync(folder).filter((one) => one.endsWith(".js"))) assert.doesNotMatch(readFileSync(new URL(name, folder), "utf8"), /\b(write|head)\([^\n]*k\.(pending|ready|failing|done|tether|bar|strong|line|flow|track)\b/, name);
});
