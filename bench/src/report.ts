import { type Figure, passes } from "./figure.ts";

export type Machine = {
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  readonly at: string;
};

const columns = ["", "Forebay", "baseline", "measured", "target", ""];

/** The figures as a table, for a terminal and for Markdown alike. */
export function formatTable(figures: readonly Figure[]): string {
  const rows = [columns, ...figures.map(formatRow)];
  const widths = columns.map((_, column) => Math.max(3, ...rows.map((row) => (row[column] ?? "").length)));
  const lines = rows.map((row) => `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`);
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [lines[0], rule, ...lines.slice(1)].join("\n");
}

function formatRow(figure: Figure): string[] {
  const { name, unit, forebay, baseline, judged } = figure;
  const amount = (value: number | undefined): string =>
    value === undefined ? "" : `${formatNumber(value)} ${unit}`;
  const verdict = { true: "pass", false: "MISS", undefined: "" }[String(passes(figure)) as "true"];
  return [name, amount(forebay), amount(baseline), ...formatJudged(judged), verdict];
}

function formatJudged(judged: Figure["judged"]): [measured: string, target: string] {
  if (!judged) return ["", ""];
  const { kind, limit, unit } = judged.target;
  const suffix = unit === "x" ? " x" : ` ${unit}`;
  return [`${formatNumber(judged.value)}${suffix}`, `${kind === "atLeast" ? "≥" : "≤"} ${limit}${suffix}`];
}

function formatNumber(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString("en-US");
  return value.toFixed(value >= 10 ? 1 : value >= 1 ? 2 : 3);
}

export function formatReport(figures: readonly Figure[], machine: Machine): string {
  const { cpu, cores, node, at } = machine;
  return `# Benchmark

\`npm run bench\` on ${cores} × ${cpu}, Node ${node}, ${at}. Everything on one machine and on loopback; Forebay
and the baseline ([bench/baseline](../baseline)) in turns; figures are medians, ratios are medians over the pairs
of rounds.

${formatTable(figures)}
`;
}
