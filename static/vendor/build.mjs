/**
 * package-lock.json in; minified ES bundles out, one an entry (what two entries share is a chunk of its own), and stylesheets, fonts,
 * LICENSES.txt and manifest.json.
 * Run `npm ci && npm run build` here after changing a version; the results are committed, so that whoever runs
 * Podium never needs Node. `node build.mjs --out DIR` builds elsewhere, which a test uses to compare bytes.
 */
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import subsetFont from "subset-font";

const here = path.dirname(fileURLToPath(import.meta.url));
const flag = process.argv.indexOf("--out");
const out = flag > 0 ? path.resolve(process.argv[flag + 1]) : here;

const COPIES = { "xterm.css": "@xterm/xterm/css/xterm.css" };

/** Fonts keep the characters and weights that the page has; the terminal's needs no ligatures. */
const FONTS = {
  "inter.woff2": { source: "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2" },
  "jetbrains-mono.woff2": { source: "@fontsource-variable/jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2", noLayoutClosure: true },
};
const WEIGHTS = { min: 400, max: 700 };
const span = (first, last) => Array.from({ length: last - first + 1 }, (_, index) => String.fromCodePoint(first + index)).join("");
const CHARACTERS = `${span(0x20, 0x7e)}${span(0xa0, 0xff)}–—‘’“”•…‹›−→←↑↓↻✓✕✗⊘●▶`;

await mkdir(out, { recursive: true });
for (const file of await readdir(out)) if (/^chunk-.*\.js$/.test(file)) await rm(path.join(out, file));
const bundled = await build({
  entryPoints: (await readdir(path.join(here, "entries"))).sort().map((file) => path.join(here, "entries", file)),
  outdir: out, absWorkingDir: here, bundle: true, splitting: true, chunkNames: "chunk-[hash]", minify: true, format: "esm", target: "es2022",
  platform: "browser", conditions: ["browser", "production"], legalComments: "none", charset: "utf8", metafile: true,
  define: { "process.env.NODE_ENV": '"production"' },
});
const files = Object.keys(bundled.metafile.outputs).map((file) => path.basename(file));
for (const [file, source] of Object.entries(COPIES)) {
  await copyFile(path.join(here, "node_modules", source), path.join(out, file));
  files.push(file);
}
for (const [file, { source, ...how }] of Object.entries(FONTS)) {
  const whole = await readFile(path.join(here, "node_modules", source));
  await writeFile(path.join(out, file), await subsetFont(whole, CHARACTERS, { targetFormat: "woff2", variationAxes: { wght: WEIGHTS }, ...how }));
  files.push(file);
}

for (const [file, output] of Object.entries(bundled.metafile.outputs).filter(([, output]) => output.entryPoint)) {
  const name = `${path.basename(file, ".js")}.d.ts`;
  await writeFile(path.join(out, name), output.exports.sort().map((one) => `export const ${one}: any;\n`).join(""));
  files.push(name);
}

const packages = new Set([...Object.values(COPIES), ...Object.values(FONTS).map(({ source }) => source)].map((source) => source.split("/").slice(0, 2).join("/")));
for (const input of Object.keys(bundled.metafile.inputs)) {
  const match = input.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//);
  if (match) packages.add(match[1]);
}
const licences = [];
for (const name of [...packages].sort()) {
  const folder = path.join(here, "node_modules", name);
  const about = JSON.parse(await readFile(path.join(folder, "package.json"), "utf8"));
  const file = (await readdir(folder)).filter((entry) => /^licen[cs]e/i.test(entry)).sort()[0];
  const text = file ? await readFile(path.join(folder, file), "utf8") : `Licence: ${about.license}\n`;
  licences.push(`${name} ${about.version} (${about.license})\n${"-".repeat(72)}\n${text.trim()}\n`);
}
await writeFile(path.join(out, "LICENSES.txt"), licences.join(`\n${"=".repeat(72)}\n\n`));
files.push("LICENSES.txt");

const manifest = {};
for (const file of files.sort()) {
  const full = path.join(out, file);
  manifest[file] = { sha256: createHash("sha256").update(await readFile(full)).digest("hex"), bytes: (await stat(full)).size };
}
await writeFile(path.join(out, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
