import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { identifyProcess, interruptGroup, interruptSteps, stopOrphan } from "./processes.ts";

const running: ChildProcess[] = [];

afterEach(() => {
  for (const { pid } of running.splice(0)) {
    try {
      if (pid !== undefined) process.kill(-pid, "SIGKILL");
    } catch {
      // It has ended.
    }
  }
});

interface Program {
  readonly pid: number;
  readonly ended: Promise<readonly unknown[]>;
}

/** A shell in a process group of its own, once it has said that it is ready. */
async function startShell(script: string): Promise<Program> {
  const child = spawn("sh", ["-c", script], {
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
  });
  running.push(child);
  const ended = once(child, "exit");
  await once(child.stdout, "data");
  if (child.pid === undefined) throw new Error("sh could not be started");
  return { pid: child.pid, ended };
}

describe("interruptGroup", () => {
  it("interrupts the program with what it started", async () => {
    const shell = await startShell("trap 'exit 3' INT; echo ready; sleep 1000 & wait");
    interruptGroup({ ...shell, program: "sh" });
    expect(await shell.ended).toEqual([3, null]);
  });
});

describe("interruptSteps", () => {
  it("interrupts what the program started, which then ends by itself", async () => {
    // Interrupted itself, it would end with 9.
    const shell = await startShell("trap 'exit 9' INT; echo ready; sleep 1000; exit 4");
    interruptSteps({ ...shell, program: "sh" });
    expect(await shell.ended).toEqual([4, null]);
  });

  it("kills a step that does not listen", async () => {
    const deaf = `${process.execPath} -e "process.on('SIGINT', () => {}); console.log('ready'); setInterval(() => {}, 1000)"`;
    const shell = await startShell(`${deaf}; exit 5`);
    interruptSteps({ ...shell, program: "sh" });
    expect(await shell.ended).toEqual([5, null]);
  });
});

describe("stopOrphan", () => {
  it("ends the process that it names, and only that", async () => {
    const shell = await startShell("trap 'exit 6' INT; echo ready; sleep 1000 & wait");
    const identity = identifyProcess(shell.pid) ?? "";
    expect(identity).toMatch(/^\d+\.\d+$/);
    await stopOrphan(`${shell.pid}.1`);
    expect(identifyProcess(shell.pid)).toBe(identity);
    await stopOrphan(identity);
    expect(await shell.ended).toEqual([6, null]);
    await stopOrphan(identity);
    expect(identifyProcess(shell.pid)).toBeUndefined();
  });
});
