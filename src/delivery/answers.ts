import type { Digest } from "../oci/oci.ts";
import { openSession, type RegistrySession } from "../registry/registry.ts";
import type { Workspace } from "./workspace.ts";

/** Whether a repository (`host[:port]/ns/repo`) has a blob, for those who pull it or push to it. */
export interface BlobQuestion {
  readonly repository: string;
  readonly digest: Digest;
  readonly use: "pull" | "push";
}

/** What registries have answered in one command: whatever several of its steps want to know is asked once. */
export interface RegistryAnswers {
  readonly session: RegistrySession;
  /** Asks beside whatever is done meanwhile. It fails nothing: what has no answer is asked again by who wants it. */
  readonly begin: (question: BlobQuestion) => void;
  /** Best effort: undefined where that cannot be found out. */
  readonly hasBlob: (question: BlobQuestion) => Promise<boolean | undefined>;
  /** Whether a repository gives the manifest of this digest out; where that is not known: no. */
  readonly hasManifest: (repository: string, digest: Digest) => Promise<boolean>;
  /** The steps are over: what is still asked beside them is given up, and tags may stand for something else by now. */
  readonly settle: () => void;
  readonly isSettled: () => boolean;
  /** What it said of a repository counts no more. */
  readonly forget: (repository: string) => void;
}

/** Does the action with the answers of the command, or with its own: then all connections end with it. */
export async function withAnswers<W extends Workspace, T>(
  work: W,
  action: (work: W & { readonly answers: RegistryAnswers }) => Promise<T>,
): Promise<T> {
  if (work.answers !== undefined) return action({ ...work, answers: work.answers });
  const session = openSession(work.registries, work.signal);
  try {
    return await action({ ...work, answers: createAnswers(session) });
  } finally {
    session.close();
  }
}

/** Milliseconds: a build may last for hours, and what a repository had then says little. */
const longestUse = 10 * 60_000;

function createAnswers(session: RegistrySession): RegistryAnswers {
  // Who asks beside the build may give up on a registry: who needs the answer then begins anew.
  const steps = new AbortController();
  // It leaves connections to the others.
  const early = session.openClient(steps.signal, 4);
  const late = session.openClient();
  const known = new Map<string, Known>();
  const places = new Map<string, Promise<boolean>>();
  const isOnePlace = (repository: string): Promise<boolean> => {
    const found = places.get(repository) ?? session.isOnePlace(repository);
    places.set(repository, found);
    return found;
  };
  const nameBlob = async ({ repository, digest, use }: BlobQuestion): Promise<string> =>
    `${repository} ${digest} ${(await isOnePlace(repository)) ? "" : use}`;
  const once = async (name: string, ask: () => Promise<Answer>): Promise<Answer> => {
    const before = known.get(name);
    const isFresh = before !== undefined && Date.now() - before.askedAt < longestUse;
    const answer = isFresh ? await before.answer.catch(() => undefined) : undefined;
    if (answer !== undefined) return answer;
    const asked = ask();
    known.set(name, { answer: asked, askedAt: Date.now() });
    return asked;
  };
  const ask = async (question: BlobQuestion, client: typeof late): Promise<Answer> => {
    const { repository, digest, use } = question;
    const name = await nameBlob(question);
    return once(name, () => client.hasBlob(repository, digest, use));
  };
  return {
    session,
    // A signal that stops the command is told by its other steps.
    begin: (question) => void ask(question, early).catch(() => {}),
    hasBlob: (question) => ask(question, late),
    hasManifest: async (repository, digest) => {
      if ((await isOnePlace(repository)) && (await session.hasRead(repository, digest)))
        return true;
      const ask = (): Promise<Answer> => late.hasManifest(repository, digest);
      return (await once(`${repository} ${digest} manifest`, ask)) === true;
    },
    settle: () => steps.abort(new Error("the steps are over")),
    isSettled: () => steps.signal.aborted,
    forget: (repository) => {
      session.forgetManifests(repository);
      for (const name of known.keys()) if (name.startsWith(`${repository} `)) known.delete(name);
    },
  };
}

type Answer = boolean | undefined;

interface Known {
  readonly answer: Promise<Answer>;
  readonly askedAt: number;
}
