import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { watchUsage, type Usage } from "./usage.ts";

export interface Command {
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** One who runs for the same goal as the others of its workload. */
export interface Contender {
  readonly name: string;
  /** What makes each round the same for all; not timed. */
  readonly prepare?: (round: number) => Promise<void>;
  readonly command: Command;
}

/** Bytes of bodies that went to a registry and came from it. */
export interface Moved {
  readonly up: number;
  readonly down: number;
}

/** Counts what goes over the network. */
export interface Meter {
  readonly reset: () => void;
  /** Since the last reset. */
  readonly read: () => Moved;
}

export interface Measurement {
  readonly name: string;
  readonly seconds: readonly number[];
  /** Of each round; none where no meter was there. */
  readonly moved: readonly Moved[];
  /** Peaks, in bytes, of the worst of the rounds: `Usage`. */
  readonly memory: Omit<Usage, "cpu">;
  /** Seconds of processor time of each round. */
  readonly cpu: readonly number[];
}

export interface TurnOptions {
  readonly meter?: Meter;
  /** Of all that have none of their own. */
  readonly prepare?: (round: number) => Promise<void>;
}

/** Lets all contenders run in turn, `rounds` times, so that a busy machine is as busy for one as for the other. */
export async function measureInTurn(
  contenders: readonly Contender[],
  rounds: number,
  { meter, prepare }: TurnOptions = {},
): Promise<readonly Measurement[]> {
  const runs = contenders.map((): Round[] => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, contender] of contenders.entries()) {
      await (contender.prepare ?? prepare)?.(round);
      meter?.reset();
      const timed = await runTimed(contender.command);
      runs[index]?.push({ ...timed, moved: meter === undefined ? [] : [meter.read()] });
      process.stderr.write(`    ${contender.name}: ${timed.seconds.toFixed(2)} s\n`);
    }
  }
  return contenders.map(({ name }, index) => summarise(name, runs[index] ?? []));
}

export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

/** Runs a command to its end. Errors: one with the end of its output where it fails. */
export async function run(command: Command): Promise<void> {
  await runTimed(command);
}

/** Runs a command again and again, until it succeeds. @throws the signal's reason where it is aborted before */
export async function waitForSuccess(command: Command, signal: AbortSignal): Promise<void> {
  const isDone = (): Promise<boolean> =>
    run(command).then(
      () => true,
      () => false,
    );
  while (!(await isDone())) await sleep(100, undefined, { signal });
}

interface Timed {
  readonly seconds: number;
  readonly usage: Usage;
}

interface Round extends Timed {
  readonly moved: readonly Moved[];
}

/** How much of a command's output is kept to explain a failure, in characters. */
const tailLength = 2000;

function runTimed({ argv, env }: Command): Promise<Timed> {
  const [program = "", ...args] = argv;
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    const stop = watchUsage(child.pid ?? 0);
    let tail = "";
    const keep = (chunk: Buffer): void => {
      tail = (tail + chunk.toString()).slice(-tailLength);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", reject);
    child.on("close", (status) => {
      const timed = { seconds: (performance.now() - started) / 1000, usage: stop() };
      if (status === 0) resolve(timed);
      else reject(new Error(`${argv.join(" ")} ended with ${status}:\n${tail}`));
    });
  });
}

function summarise(name: string, runs: readonly Round[]): Measurement {
  const worst = (of: (usage: Usage) => number): number =>
    Math.max(0, ...runs.map(({ usage }) => of(usage)));
  return {
    name,
    seconds: runs.map(({ seconds }) => seconds),
    moved: runs.flatMap(({ moved }) => moved),
    memory: {
      process: worst((usage) => usage.process),
      tree: worst((usage) => usage.tree),
    },
    cpu: runs.map(({ usage }) => usage.cpu),
  };
}
