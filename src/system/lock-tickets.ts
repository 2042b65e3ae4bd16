import { randomUUID } from "node:crypto";
import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmdirSync,
  unlinkSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { systemCode } from "./errno.ts";
import { checkProcess, identifyOwnProcess } from "./process-identity.ts";

/*
 * A lock of files, where no program has the kernel's for us: Lamport's bakery (A New Solution of Dijkstra's Concurrent
 * Programming Problem, 1974). Each who wants it draws a ticket, a number larger than all that are there, and has his turn
 * when no smaller one is left. Every file has a name of its own that says whose it is and never comes again, and is made by
 * its owner alone: so whoever finds that its owner has died may remove it, two at once too, and nothing that lives is ever
 * taken over by mistake. While somebody draws, a second file says so, for two may find the same numbers.
 */

/** Milliseconds between two looks: the first, and the longest. */
const pauses = { first: 5, longest: 200 };

/**
 * Draws a ticket in that directory, which is made, and waits until it is its turn.
 * @returns gives it back, and removes the directory where nobody waits
 * @throws the system's errors, EPERM where the directory is another user's; the signal's reason
 */
export async function takeTicket(directory: string, signal?: AbortSignal): Promise<() => void> {
  const owner = `${await identifyOwnProcess()}-${randomUUID()}`;
  const ticket = drawTicket(directory, owner);
  const giveBack = (): void => {
    remove(directory, ticket);
    removeEmpty(directory);
  };
  try {
    for (let pause = pauses.first; await isAnyBefore(directory, ticket); pause *= 2) {
      await sleep(Math.min(pause, pauses.longest));
      signal?.throwIfAborted();
    }
    return giveBack;
  } catch (error) {
    giveBack();
    throw error;
  }
}

/** @returns its name. The names of tickets are in the order of their turns, for the numbers have the same length. */
function drawTicket(directory: string, owner: string): string {
  const drawing = `drawing-${owner}`;
  create(directory, drawing);
  try {
    const numbers = listNames(directory).map((name) => Number(ticketName.exec(name)?.[1] ?? 0));
    const number = 1 + Math.max(...numbers);
    const ticket = `ticket-${String(number).padStart(numberLength, "0")}-${owner}`;
    create(directory, ticket);
    return ticket;
  } finally {
    remove(directory, drawing);
  }
}

const numberLength = 15;
const ticketName = /^ticket-(\d{15})-/;
const ownedName = /^(?:drawing|ticket-\d{15})-([0-9a-f.]+)-[0-9a-f-]{36}$/;

/**
 * Whoever draws is waited for first: his number may be smaller. Then the tickets are listed anew, for in one look one that is
 * done with drawing could be seen neither as the one nor as the other.
 */
async function isAnyBefore(directory: string, ticket: string): Promise<boolean> {
  const drawing = listNames(directory).filter((name) => name.startsWith("drawing-"));
  if (await isAnyAlive(directory, drawing)) return true;
  const tickets = listNames(directory).filter((name) => ticketName.test(name));
  return isAnyAlive(directory, tickets.filter((name) => name < ticket).sort());
}

/** Removes what the dead have left, up to the first that is alive. */
async function isAnyAlive(directory: string, names: readonly string[]): Promise<boolean> {
  for (const name of names) {
    if (await isAlive(directory, name)) return true;
    remove(directory, name);
  }
  return false;
}

/** Milliseconds that one counts of whom we cannot know it: one of another machine, or of another container. */
const unknownLife = 24 * 60 * 60 * 1000;

async function isAlive(directory: string, name: string): Promise<boolean> {
  const state = await checkProcess(ownedName.exec(name)?.[1] ?? "");
  if (state !== "unknown") return state === "alive";
  const status = lstatSync(join(directory, name), { throwIfNoEntry: false });
  return status !== undefined && Date.now() - status.mtimeMs < unknownLife;
}

function listNames(directory: string): readonly string[] {
  return readdirSync(directory).filter((name) => ownedName.test(name));
}

function create(directory: string, name: string): void {
  for (;;) {
    makeOwn(directory);
    try {
      return closeSync(openSync(join(directory, name), "wx", 0o600));
    } catch (error) {
      // Whoever was the last there has removed it. Where it cannot be made, that says so.
      if (systemCode(error) !== "ENOENT") throw error;
    }
  }
}

function makeOwn(directory: string): void {
  try {
    return mkdirSync(directory, 0o700);
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
  }
  const status = lstatSync(directory, { throwIfNoEntry: false });
  const isOwn = status?.isDirectory() === true && status.uid === process.geteuid?.();
  if (status === undefined || isOwn) return;
  throw Object.assign(new Error(`EPERM: ${directory} is no directory of this user`), {
    code: "EPERM",
  });
}

function remove(directory: string, name: string): void {
  try {
    unlinkSync(join(directory, name));
  } catch (error) {
    // Another has found its owner dead, too.
    if (systemCode(error) !== "ENOENT") throw error;
  }
}

function removeEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    // Others wait there.
    if (systemCode(error) === undefined) throw error;
  }
}
