import {
  arrangements,
  assumed,
  type Change,
  computeLoad,
  type Measured,
  type MeasuredBuild,
  ways,
} from "./scale-model.ts";

const begin = "<!-- scale: written by npm run generate; what stands here is replaced -->\n";
const end = "<!-- scale: end -->\n";

/** docs/scale.md with tables of what docs/scale.json has; what people wrote around them stays. */
export function replaceScale(text: string, json: string): string {
  const measured: Measured = JSON.parse(json);
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`docs/scale.md has lost its mark ${begin.trim()}`);
  const parts = [introduce(measured), renderMeasured(measured), explain(), renderLoads(measured)];
  return `${text.slice(0, from + begin.length)}\n${parts.join("\n")}\n${text.slice(to)}`;
}

function introduce({ at, programs, image }: Measured): string {
  const size = renderBytes(image.bytes);
  return `Measured on ${at} (${programs.join(", ")}; ${image.layers} layers, ${size}):\n`;
}

const changes: Readonly<Record<Change, string>> = {
  all: "first build",
  none: "nothing changed",
  one: "one layer changed",
};

function renderMeasured({ builds }: Measured): string {
  const head = ["one build", ...ways.map((way) => way.replace(">", " to ")), "requests", "time"];
  const rows = builds.map((build) => [
    describe(build),
    ...ways.map((way) => renderBytes(build.bytes[way])),
    String(build.requests.client + build.requests.builder),
    `${build.seconds.toFixed(1)} s`,
  ]);
  return renderTable(head, rows);
}

const others: Readonly<Record<NonNullable<MeasuredBuild["other"]>, string>> = {
  each: "`layer each`",
  steps: "with steps before OUTPUT",
  cached: "with such steps, from the registry's cache",
};

function describe({ tool, change, client, builder, other }: MeasuredBuild): string {
  return [
    tool === "xbuild" ? changes[change] : `BuildKit alone: ${changes[change]}`,
    ...(tool === "xbuild" ? [`${client} client`] : []),
    `${builder} builder`,
    ...(other === undefined ? [] : [others[other]]),
  ].join(", ");
}

function explain(): string {
  const { mix, busy } = assumed;
  return [
    `**Computed** of these rows, and not measured: of 100 builds ${mix.none} have nothing to do, ${mix.one} one layer that`,
    `changed, ${mix.all} are first builds; a builder is at work for ${busy * 100} % of the time. Bytes are an hour's.\n`,
  ].join("\n");
}

function renderLoads(measured: Measured): string {
  const head = [
    "who keeps what",
    "builds an hour",
    "client and builder",
    "out of the registry",
    "into the registry",
    "requests a second",
    "builders",
  ];
  const rows = arrangements.flatMap((arrangement) =>
    assumed.rates.map((rate) => {
      const load = computeLoad(measured, arrangement, rate);
      return [
        arrangement.name,
        rate.toLocaleString("en"),
        renderBytes(load.between),
        renderBytes(load.fromRegistry),
        renderBytes(load.toRegistry),
        load.requestsPerSecond.toPrecision(2),
        String(load.builders),
      ];
    }),
  );
  return renderTable(head, rows);
}

/** In Markdown; the first column is text, the others are figures. */
function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const marks = head.map((_, at) => (at === 0 ? "---" : "---:"));
  return `${[head, marks, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n")}\n`;
}

const units = [
  ["GB", 1e9],
  ["MB", 1e6],
  ["kB", 1e3],
] as const;

/** In two or three figures; less than a packet or two is nothing. */
function renderBytes(bytes: number): string {
  const [unit, size] = units.find(([, least]) => bytes >= least) ?? [undefined, 1];
  if (unit === undefined) return "0";
  const value = bytes / size;
  return `${value.toFixed(value < 10 ? 1 : 0)} ${unit}`;
}
