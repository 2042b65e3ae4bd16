import { describeEvents } from "../../pipeline/pipeline.ts";
import type { Diagnostic } from "../../diagnostics.ts";
import { openStore, type Store } from "../../store/store.ts";
import {
  type FlagSpec,
  parseCommandLine,
  isSet,
  lastValue,
  listValues,
} from "../line/arguments.ts";
import type { CliIo } from "../io.ts";
import { refuseValue } from "../line/values.ts";
import { findStoreDirectory } from "../request/store-directory.ts";
import { showNotice } from "../report/failure.ts";
import { createPages } from "../pages.ts";

export const formatFlag: FlagSpec = { name: "format", kind: "value" };

export interface StoreCommandLine {
  readonly operands: readonly string[];
  readonly list: (name: string) => readonly string[];
  readonly last: (name: string) => string | undefined;
  readonly isSet: (name: string) => boolean;
}

/** The command line of a command about the store. @throws XbuildError `usage` */
export function readCommandLine(
  argv: readonly string[],
  flags: readonly FlagSpec[],
): StoreCommandLine {
  const line = parseCommandLine(argv, flags);
  return {
    operands: [...line.operands, ...line.rest],
    list: (name) => listValues(line, name),
    last: (name) => lastValue(line, name),
    isSet: (name) => isSet(line, name),
  };
}

/** The store that the environment names; what in it is damaged is told and counts as missing. */
export function openUserStore(io: CliIo): Promise<Store> {
  const options = { color: io.color, page: createPages(io) };
  const warn = (one: Diagnostic): void => io.stderr(showNotice(one, options));
  return openStore(
    findStoreDirectory(io),
    describeEvents({ reporter: { warn }, signal: io.signal }),
  );
}

/** Whether the output is for programs. @throws XbuildError `usage` for a format that is none */
export function wantsJson(line: StoreCommandLine): boolean {
  const format = line.last("format") ?? "table";
  if (format === "json" || format === "table") return format === "json";
  throw refuseValue("--format", format, ["table", "json"]);
}

/** How long ago: `3 minutes ago`. */
export function renderAge(then: number, now: number): string {
  const seconds = Math.max(0, Math.round((now - then) / 1000));
  const steps: readonly (readonly [string, number])[] = [
    ["day", 86_400],
    ["hour", 3600],
    ["minute", 60],
    ["second", 1],
  ];
  const [unit, length] = steps.find(([, size]) => seconds >= 2 * size) ?? ["second", 1];
  const count = Math.floor(seconds / length);
  return `${count} ${unit}${count === 1 ? "" : "s"} ago`;
}
