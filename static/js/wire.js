/**
 * The room's scene, its time and the wire that keeps them: connected as soon as these few modules are here, while the canvas's are still on
 * their way. Who comes later (`scene.welcome`, `live.on`) is told what was missed.
 */
import { Live } from "./live.js";
import { Scene } from "./scene.js";
import { VirtualTime } from "./virtualtime.js";

export const { room = "", key = "" } = document.body.dataset;
export const scene = new Scene();
export const time = new VirtualTime();
export const live = new Live(room, key, scene, time);
