// The lint rules of this project, as oxlint loads them.
import { linearPatterns } from "./linear-patterns.mjs";
import { roomsRule } from "./rooms.mjs";

export default {
  meta: { name: "xbuild" },
  rules: { "linear-patterns": linearPatterns, rooms: roomsRule },
};
