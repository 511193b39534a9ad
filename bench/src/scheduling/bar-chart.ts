export type Bars = {
  readonly title: string;
  readonly unit: string;
  readonly bars: readonly { readonly label: string; readonly value: number; readonly plain?: boolean }[];
};

const width = 640;
const labelWidth = 240;
const rowHeight = 26;
const headHeight = 34;

/** Charts of horizontal bars, one below the other, as an SVG; readable on light and dark alike. */
export function barCharts(charts: readonly Bars[]): string {
  let top = 8;
  const parts: string[] = [];
  for (const { title, unit, bars } of charts) {
    const most = Math.max(...bars.map(({ value }) => value), 1e-9);
    parts.push(`<text x="8" y="${top + 18}" class="title">${escape(title)}</text>`);
    top += headHeight;
    for (const { label, value, plain } of bars) {
      const length = Math.max(1, (value / most) * (width - labelWidth - 100));
      const middle = top + rowHeight / 2 + 4;
      parts.push(
        `<text x="${labelWidth - 8}" y="${middle}" text-anchor="end">${escape(label)}</text>`,
        `<rect x="${labelWidth}" y="${top + 4}" width="${length.toFixed(1)}" height="${rowHeight - 8}" rx="2" class="${plain ? "plain" : "ours"}"/>`,
        `<text x="${(labelWidth + length + 8).toFixed(1)}" y="${middle}">${escape(`${amount(value)} ${unit}`)}</text>`,
      );
      top += rowHeight;
    }
    top += 14;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${top}" width="${width}" height="${top}" font-family="system-ui, sans-serif" font-size="13">
<style>text{fill:#57606a}.title{font-weight:600;font-size:14px}.ours{fill:#2f81f7}.plain{fill:#8c959f}</style>
${parts.join("\n")}
</svg>
`;
}

const amount = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
const escape = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
