import { pick, type Slot } from "./draft.ts";
import { tableRead, type Read } from "./reads.ts";
import { editFlag, file, link, putNode, type Change } from "./world.ts";

const volumeChanges = ["content", "content, unseen", "mode", "added", "link", "another"] as const;

function readVolume(
  slot: Slot,
  options: string,
): Readonly<Record<(typeof volumeChanges)[number], Change>> {
  const { id, draft, lines, told } = slot;
  draft.directories[id] = { v: file("one\n"), link: link("v") };
  draft.directories[`${id}-other`] = { v: file("other\n") };
  const flag = `--volume=@${id}@:/vol-${id}${options}`;
  draft.flags.push(flag);
  lines.push(`RUN tell /vol-${id} ${told}`);
  return {
    content: { effect: "telling", apply: putNode(id, "v", file("another\n")) },
    "content, unseen": {
      effect: "telling",
      keepsTimes: true,
      apply: putNode(id, "v", file("two\n")),
    },
    mode: { effect: "telling", apply: putNode(id, "v", file("one\n", 0o755)) },
    added: { effect: "telling", apply: putNode(id, "new", file("new\n")) },
    link: { effect: "telling", apply: putNode(id, "link", link("w")) },
    another: {
      effect: "telling",
      apply: editFlag(flag, `--volume=@${id}-other@:/vol-${id}${options}`),
    },
  };
}

const readOnly = tableRead("a read-only volume", volumeChanges, (slot) => readVolume(slot, ":ro"));

const writable = tableRead("a volume", ["content", "content, unseen", "another"], (slot) => {
  slot.draft.isNeverUpToDate = true;
  return readVolume(slot, pick(slot.draft.chance, ["", ":rw"]));
});

export const volumeReads: readonly Read[] = [readOnly, writable];
