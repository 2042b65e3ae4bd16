/**
 * A word as an item of a list flag of the engines (`--file`), which take a value for a line of CSV: commas, quotes and
 * line ends of a path would split it. spf13/pflag, `StringSlice`; RFC 4180
 */
export function quoteItem(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
