import { type BenchRow, formatValue } from "./rows.ts";

const barHeight = 11;
const rowHeight = 34;
const barsWidth = 420;
const valueWidthLeast = 120;
const headHeight = 48;

const colours = { ours: "#1f6feb", peer: "#9aa4ad" };

/** Ours and the peer's of every row in ms, as bars on a logarithmic axis. An SVG document. */
export function drawChart(rows: readonly BenchRow[]): string {
  const shown = rows.filter(isTime).map(inMilliseconds);
  const values = shown.flatMap((row) => [row.ours, row.peer?.value ?? row.ours]);
  const least = 10 ** Math.floor(Math.log10(Math.min(...values)));
  const most = 10 ** Math.ceil(Math.log10(Math.max(...values)));
  const labelWidth = Math.max(280, ...shown.map(({ name }) => Math.ceil(name.length * 6.4) + 16));
  const widthOf = (value: number): number =>
    (Math.log10(value / least) / Math.log10(most / least)) * barsWidth;

  // "12,345 ms" and the peer's name, where the longest bar ends.
  const nameLengths = shown.map(({ peer }) => peer?.name.length ?? 0);
  const valueWidth = Math.max(valueWidthLeast, 70 + 6 * Math.max(...nameLengths));
  const width = labelWidth + barsWidth + valueWidth;
  const height = headHeight + shown.length * rowHeight + 10;
  const ticks: number[] = [];
  for (let tick = least; tick <= most * 1.001; tick *= 10) ticks.push(tick);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12">`,
    "<style>text{fill:#24292f}.minor{fill:#6e7781}@media (prefers-color-scheme:dark){text{fill:#e6edf3}.minor{fill:#9aa4ad}}</style>",
    legend(),
    ...ticks.map((tick) => drawTick(labelWidth + widthOf(tick), formatValue(tick, "ms"), height)),
    ...shown.map((row, index) =>
      drawRow(row, { labelWidth, y: headHeight + index * rowHeight, widthOf }),
    ),
    "</svg>",
  ];
  return `${parts.join("\n")}\n`;
}

function isTime({ unit, peer }: BenchRow): boolean {
  return (unit === "ms" || unit === "s") && peer !== undefined;
}

function inMilliseconds(row: BenchRow): BenchRow {
  const { ours, unit, peer } = row;
  if (unit !== "s" || peer === undefined) return row;
  return { ...row, unit: "ms", ours: ours * 1000, peer: { ...peer, value: peer.value * 1000 } };
}

function legend(): string {
  return [
    `<rect x="8" y="8" width="11" height="11" fill="${colours.ours}"/><text x="24" y="18">Patchbay</text>`,
    `<rect x="96" y="8" width="11" height="11" fill="${colours.peer}"/><text x="112" y="18">beside it</text>`,
    `<text class="minor" x="8" y="36">logarithmic, shorter is better</text>`,
  ].join("");
}

function drawTick(x: number, label: string, height: number): string {
  return `<line x1="${x.toFixed(1)}" y1="${headHeight - 8}" x2="${x.toFixed(1)}" y2="${height}" stroke="#8886" stroke-width="1"/><text class="minor" x="${x.toFixed(1)}" y="${headHeight - 14}" text-anchor="middle">${label}</text>`;
}

function drawRow(
  row: BenchRow,
  {
    labelWidth,
    y,
    widthOf,
  }: {
    readonly labelWidth: number;
    readonly y: number;
    readonly widthOf: (value: number) => number;
  },
): string {
  const bar = (value: number, at: number, colour: string, label: string): string =>
    `<rect x="${labelWidth}" y="${at}" width="${Math.max(1, widthOf(value)).toFixed(1)}" height="${barHeight}" fill="${colour}"/><text x="${(labelWidth + widthOf(value) + 5).toFixed(1)}" y="${at + barHeight - 2}" font-size="11">${label}</text>`;
  const peer = row.peer;
  return [
    `<text x="${labelWidth - 8}" y="${y + 16}" text-anchor="end">${escape(row.name)}</text>`,
    bar(row.ours, y, colours.ours, formatValue(row.ours, row.unit)),
    peer
      ? bar(
          peer.value,
          y + barHeight + 1,
          colours.peer,
          escape(`${formatValue(peer.value, row.unit)} ${peer.name}`),
        )
      : "",
  ].join("");
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
