/**
 * The first picture: the canvas alone, of a scene that comes in over the wire meanwhile. All the rest of the page (room.js) is imported when
 * the picture stands, when there will be none, or when it takes too long.
 */
import { remeasure } from "./canvas/brush.js";
import { Stage } from "./canvas/stage.js";
import * as docks from "./docks.js";
import { byId } from "./dom.js";
import { preferred, speak, t } from "./i18n.js";
import { insist } from "./lazy.js";
import { onTheme } from "./theme.js";
import { live, scene, time } from "./wire.js";

/** Milliseconds that the page waits for its first picture, and for its fonts. */
const PATIENCE = 700;
const FONTS = 60;

const fonts = Promise.allSettled(['500 12px "Inter"', '500 12px "JetBrains Mono"'].map((font) => document.fonts.load(font)));
await Promise.all([speak(preferred()), Promise.race([fonts, new Promise((done) => setTimeout(done, FONTS))])]);
docks.setUp();

export const stage = new Stage({
  host: byId("stage"), still: byId("still"), moving: byId("moving"), scene, time, t, onHover: () => undefined, onSelect: () => undefined,
});
onTheme((theme) => stage.setTheme(theme));
live.on("clock", () => {
  stage.freeze(time.paused && live.past === null);
  stage.repaint();
});
scene.welcome();
void fonts.then(() => (remeasure(), stage.repaint()));

let begun = false;
const rest = () => {
  if (begun) return;
  begun = true;
  setTimeout(() => void insist(() => import("./room.js")));
};
stage.on("frame", () => stage.layout.nodes.size && !stage.whole && rest());
live.on("state", (state) => state !== "live" && rest());
setTimeout(rest, PATIENCE);

/** For tests and the curious: what the page knows. */
Object.assign(window, { podium: { live, scene, stage, time } });
