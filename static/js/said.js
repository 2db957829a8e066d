/** A write or a mark of the timeline in a few words: who did what to what. */
import { title } from "./chaos.js";
import { knows, t } from "./i18n.js";
import { parseId } from "./scene.js";

/** @param {{client?: string, verb?: string, thing?: string, kind?: string, text?: string}} one */
export function said({ client = "", verb = "", thing = "", kind, text }) {
  const { kind: what, name } = parseId(thing);
  const named = [what, name].filter(Boolean).join(" ");
  if (kind === "warning") return `${named}: ${text ?? ""}`;
  if (kind === "fault") return t("timeline.broke", { what: title(verb), thing: named });
  return t("timeline.did", { client, verb: knows(`verb.${verb}`) ? t(`verb.${verb}`) : verb, thing: named });
}
