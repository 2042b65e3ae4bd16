import { limitText } from "../text.ts";
import type { GitAnswer } from "./git-program.ts";
import type { GitSource } from "./model.ts";

/** What git says, without the password of its address. */
export function redact(text: string, { userInfo }: GitSource): string {
  const secrets = [userInfo?.password, encodeURIComponent(userInfo?.password ?? "")];
  return secrets.reduce<string>(
    (all, secret) => (secret ? all.replaceAll(secret, "xxxxx") : all),
    text,
  );
}

/** Of its progress. */
export function lastLine(text: string): string {
  return (
    text
      .trim()
      .split(/[\r\n]/)
      .at(-1)
      ?.trim() ?? ""
  );
}

/** Why it failed: progress comes before that. */
export function lastWords({ status, stderr }: GitAnswer): string {
  const lines = limitText(stderr)
    .split(/[\r\n]+/)
    .map((line) => line.trim());
  const told = lines.filter((line) => /^(?:fatal|error|remote|ssh|warning):? /.test(line));
  const words = (told.length > 0 ? told : lines.filter((line) => line !== "")).slice(-4);
  return limitText(words.join("; "), 1000) || `git ended with status ${status}`;
}
