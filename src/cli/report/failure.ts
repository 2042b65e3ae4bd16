import {
  showDiagnostic,
  showMessage,
  type Diagnostic,
  type RenderOptions,
} from "../../diagnostics.ts";
import { exitStatuses, XbuildError } from "../../errors.ts";
import { joinVisible, show, type Visible } from "../../visible.ts";
import type { CliIo } from "../io.ts";
import { createPages } from "../pages.ts";

export interface Failure {
  readonly text: Visible;
  readonly exitStatus: number;
}

/** What a person sees of an error: no stack trace, except for a fault of our own with XBUILD_DEBUG set. */
export function renderFailure(error: unknown, io: CliIo): Failure {
  if (io.signal.aborted) {
    return {
      text: show`xbuild: interrupted; what was not finished is undone\n`,
      exitStatus: exitStatuses.interrupted,
    };
  }
  if (error instanceof XbuildError) {
    return { text: showError(error, io), exitStatus: error.exitStatus };
  }
  return { text: showFault(error, io), exitStatus: exitStatuses.refused };
}

/** Its located findings, or else what it says, with its hint and its page. */
export function showError(error: XbuildError, io: CliIo): Visible {
  const options = { color: io.color, page: createPages(io) };
  const located = error.diagnostics.map((one) => show`${showDiagnostic(one, options)}\n`);
  if (located.length > 0) return joinVisible(located);
  const { code, message, hint } = error;
  const notice = {
    code,
    severity: "error",
    message,
    ...(hint === undefined ? {} : { hint }),
  } as const;
  return showNotice(notice, options);
}

/** What has no place in a file, in our own name. */
export function showNotice(
  { severity, code, ...text }: Diagnostic,
  { color = false, page }: Pick<RenderOptions, "color" | "page">,
): Visible {
  const head = show`xbuild: ${severity}[${code}]: `;
  return show`${showMessage(head, { ...text, page: page?.(code) }, { color })}\n`;
}

function showFault(error: unknown, io: CliIo): Visible {
  const message = error instanceof Error ? error.message : String(error);
  const hint = "report this bug of xbuild; set XBUILD_DEBUG=1 to see where it is";
  const snippet = io.env["XBUILD_DEBUG"] && error instanceof Error ? listFrames(error) : [];
  return show`${showMessage("xbuild: error[internal]: ", { message, hint }, { snippet })}\n`;
}

/** Without the message, which stands above. */
function listFrames({ stack = "" }: Error): readonly Visible[] {
  const frames = stack.split("\n").filter((line) => /^ +at /.test(line));
  return frames.map((line) => show`${line}`);
}
