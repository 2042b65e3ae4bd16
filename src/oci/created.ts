import type { ImageConfig } from "./model.ts";

/** What is older has no date of its own: tools that leave dates out write 1970 or 1980. */
const firstDate = Date.UTC(1981, 0, 1);

/** When an image was created, in milliseconds since 1970; undefined for one that says nothing. */
export function readCreated({ created }: Pick<ImageConfig, "created">): number | undefined {
  const time = Date.parse(created ?? "");
  return time >= firstDate ? time : undefined;
}
