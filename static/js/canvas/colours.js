/** The canvas's colours, a set a theme. State hues were checked for colour-blind separation; shape comes first all the same. */
export const COLOURS = {
  dark: {
    ground: "#0f1419", panel: "#151b22", panel2: "#1a222b", line: "#2a3541", strong: "#465565", text: "#e4eaf0", muted: "#9aa7b4",
    faint: "#8b97a6", accent: "#53f3ce", bar: "#7f93a8", track: "#222c36", tether: "#53f3ce", flow: "#27705f", request: "#e4eaf0", shade: "rgba(0,0,0,.35)",
    ready: "#53f3ce", pending: "#f6b027", failing: "#c04231", done: "#4a8fc9", unknown: "#a1a6ad", onState: "#0f1419", failText: "#ff8a73", okText: "#53f3ce", waitText: "#f6b027",
  },
  light: {
    ground: "#fafaf7", panel: "#ffffff", panel2: "#f5f5f0", line: "#dcdcd3", strong: "#a9aba3", text: "#1b2127", muted: "#55606a",
    faint: "#626d76", accent: "#1a6d5c", bar: "#7d8a96", track: "#e9e9e2", tether: "#2b8570", flow: "#a9d4c8", request: "#1b2127", shade: "rgba(30,35,40,.10)",
    ready: "#3c9a85", pending: "#a47c29", failing: "#7d0512", done: "#0d3d86", unknown: "#595d60", onState: "#ffffff", failText: "#8d1420", okText: "#1a6d5c", waitText: "#7d5a13",
  },
};
/** @typedef {typeof COLOURS.dark} Colours */

/** Which of the five hues a pod state wears. @type {Record<string, "ready"|"pending"|"failing"|"done"|"unknown">} */
export const TONE = {
  unscheduled: "pending", creating: "pending", pulling: "pending", running: "pending", ready: "ready", crashloop: "failing",
  imagepull: "failing", oom: "failing", failed: "failing", succeeded: "done", terminating: "unknown", lost: "unknown",
};
export const ANOMALIES = new Set(["crashloop", "imagepull", "oom", "failed", "lost"]);

export const SANS = `"Inter", "NanumSquareRound", system-ui, sans-serif`;
export const MONO = `"JetBrains Mono", "NanumGothicCoding", monospace`;
