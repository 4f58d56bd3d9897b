const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

/** "3 d 4 h", "12 min 5 s", "0 s": the two largest units. */
export function formatDuration(milliseconds: number): string {
  let rest = Math.max(0, milliseconds);
  const parts: string[] = [];
  for (const [unit, size] of units) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0 || parts.length > 0) parts.push(`${count} ${unit}`);
    if (parts.length === 2) break;
  }
  return parts.filter((part) => !part.startsWith("0 ")).join(" ") || "0 s";
}

/** "2026-11-21 12:00:05" in the machine's zone. */
export function formatTime(epochMs: number): string {
  const date = new Date(epochMs);
  const local = new Date(epochMs - date.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19).replace("T", " ");
}

/** A decimal number as it is, or "1.84e19" where nobody would count the digits. */
export function formatCount(decimal: string): string {
  if (decimal.length <= 9) return decimal;
  return `${decimal[0]}.${decimal.slice(1, 3)}e${decimal.length - 1}`;
}

/** "3 attachments", "1 attachment". */
export function formatNumber(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
