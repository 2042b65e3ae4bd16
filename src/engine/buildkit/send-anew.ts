import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { BuildKitClient } from "./client.ts";
import type { Session } from "./session-model.ts";
import { solve } from "./solve.ts";
import type { SolveCall } from "./solve-call.ts";

/**
 * buildctl has one name for the contexts of all clients of a builder, who keeps what was sent under it last and asks for
 * what has another size or time. Where that may not be right, nothing is kept: a call that leaves all of it out says so.
 */
export async function sendAnew(
  session: Session,
  call: SolveCall,
  client: BuildKitClient,
): Promise<void> {
  const { steps, plan, sent } = session.build;
  const own = sent.get(steps.context);
  const mayKeep = own === undefined || own.isKept(client.name);
  if (client.program !== "buildctl" || mayKeep || !readsContext(call.text)) return;
  const ignoreFile = join(session.run.directory, "ignore-all");
  await writeFile(ignoreFile, "*\n");
  const empty = {
    ...call,
    ignoreFile,
    text: "FROM scratch\nCOPY . /\n",
    sources: new Map(),
    buildArgs: new Map(),
    flags: call.flags.filter((flag) => !/^--(?:secret|ssh|cache-(?:to|from))=/.test(flag)),
    output: { kind: "none" },
  } as const;
  const { containerfile } = plan;
  const telling = { containerfile, told: new Set<string>(), show: () => undefined };
  await solve({ call: empty, client }, telling, session);
  own.keep(client.name);
}

/** Whether a text may use the context, as well as a glance tells. */
function readsContext(text: string): boolean {
  return /\b(?:COPY|ADD)\b|--mount=/i.test(text);
}
