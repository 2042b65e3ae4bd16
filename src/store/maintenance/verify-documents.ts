import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { documentName, inspectOwnDocument } from "../layout/documents.ts";
import { ifPresent } from "../../system/errno.ts";
import type { Examination } from "./examination.ts";
import type { StoreFinding } from "./findings.ts";
import { ownDocumentKinds } from "../layout/paths.ts";

/** Records, refs and states whose content is not what was written; those of other versions are let be. */
export async function examineDocuments({
  store,
  repair,
}: Examination): Promise<readonly StoreFinding[]> {
  const findings: StoreFinding[] = [];
  for (const kind of ownDocumentKinds) {
    const names = (await ifPresent(readdir(join(store.directory, kind)))) ?? [];
    for (const name of names.filter((item) => documentName.test(item))) {
      const path = join(store.directory, kind, name);
      const bytes = await ifPresent(readFile(path));
      if (bytes === undefined || inspectOwnDocument(bytes) !== "damaged") continue;
      if (repair !== undefined) await rm(path, { force: true });
      findings.push({
        code: "record-damaged",
        message: "its content does not match its checksum",
        path: join(kind, name),
        names: [],
        outcome: repair === undefined ? "left" : "removed",
      });
    }
  }
  return findings;
}
