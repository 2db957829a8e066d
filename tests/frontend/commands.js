/** Every kubectl line that the menus of a scene's things can make, from the scene as JSON on standard input: `[{id, thing, line, back, holds, ends}, ...]`. */
import { readFileSync } from "node:fs";
import { acts } from "../../static/js/acts.js";
import { Scene } from "../../static/js/scene.js";

/** What a person fills in where nothing stands yet. @type {Record<string, Record<string, any>>} */
const FILLED = {
  taint: { key: "dedicated", value: "team-a", effect: "PreferNoSchedule" }, label: { changes: "tier=front page.example/a=b" }, annotate: { changes: { "example.com/note": "it's; a (long) note", tier: null } },
  scale: { replicas: 2 }, image: { image: "nginx:1.28" }, expose: { targetPort: "8080", type: "NodePort", name: "exposed" },
};
const scene = new Scene();
scene.load({ revision: 1, time: 0, things: JSON.parse(readFileSync(0, "utf8")) });
/** Alone, and several of a kind. @type {string[][]} */
const chosen = [...scene.things.keys()].map((id) => [id]);
for (const kind of scene.kinds.keys()) {
  const all = scene.ofKind(kind).filter(([, thing]) => !thing.system).map(([id]) => id);
  if (all.length > 1) chosen.push(all);
}
const found = [];
for (const ids of chosen) {
  if (scene.get(ids[0])?.system) continue;
  for (const act of acts(scene, ids)) {
    if (act.no || (act.page && !act.line)) continue;
    const values = { ...Object.fromEntries((act.fields ?? []).map((field) => [field.name, field.value ?? ""])), ...FILLED[act.id] };
    const back = act.reads ? null : typeof act.back === "function" ? act.back(values) : act.back;
    found.push({ id: act.id, things: ids, line: act.line ?? act.make?.(values), back: back || null, holds: !!act.holds, ends: act.group === "end" });
  }
}
process.stdout.write(JSON.stringify(found));
