/** Faint lines at each step of indentation, so that the eye finds what belongs together. */
import { Decoration, RangeSetBuilder, ViewPlugin } from "../../vendor/codemirror-more.js";

const MOST = 12;
/** One decoration a depth, shared by all lines. */
const DEPTHS = Array.from({ length: MOST + 1 }, (_, depth) => Decoration.line({ attributes: { class: "cm-guided", style: `--steps: ${depth}` } }));

export const guides = ViewPlugin.fromClass(class {
  /** @param {any} view */
  constructor(view) {
    this.decorations = drawn(view);
  }

  /** @param {any} update */
  update(update) {
    if (update.docChanged || update.viewportChanged) this.decorations = drawn(update.view);
  }
}, { decorations: (/** @type {any} */ plugin) => plugin.decorations });

/** @param {any} view */
function drawn(view) {
  const builder = new RangeSetBuilder();
  for (const { from, to } of view.visibleRanges) {
    for (let at = from; at <= to;) {
      const line = view.state.doc.lineAt(at);
      const steps = Math.min(MOST, Math.floor(line.text.search(/\S|$/) / 2));
      if (steps > 1) builder.add(line.from, line.from, DEPTHS[steps]);
      at = line.to + 1;
    }
  }
  return builder.finish();
}
