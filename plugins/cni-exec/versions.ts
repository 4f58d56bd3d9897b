/** Versions of the CNI specification whose results we read and write, oldest first. */
export const CNI_VERSIONS = [
  "0.1.0",
  "0.2.0",
  "0.3.0",
  "0.3.1",
  "0.4.0",
  "1.0.0",
  "1.1.0",
] as const;

export type CniVersion = (typeof CNI_VERSIONS)[number];

/** What a plugin is taken to support that does not answer VERSION: it is asked nothing else by libcni either. */
export type SupportedVersions = readonly string[] | "unknown";

/** The newest of the configuration's versions; undefined where it names none. */
export function newestOf(versions: readonly string[]): string | undefined {
  return versions.toSorted(compareVersions).at(-1);
}

/**
 * The version to speak with a plugin: the newest that it supports and that is not newer than what
 * the configuration asks for. Undefined: there is none.
 */
export function negotiate(
  wanted: string | undefined,
  supported: SupportedVersions,
): CniVersion | undefined {
  const fits = (version: string) => wanted === undefined || compareVersions(version, wanted) <= 0;
  return CNI_VERSIONS.findLast(
    (version) => fits(version) && (supported === "unknown" || supported.includes(version)),
  );
}

export function isAtLeast(version: CniVersion, since: CniVersion): boolean {
  return CNI_VERSIONS.indexOf(version) >= CNI_VERSIONS.indexOf(since);
}

/** Semantic versions by their three numbers. */
export function compareVersions(left: string, right: string): number {
  const numbers = (text: string) => text.split(".").map((part) => Number.parseInt(part, 10) || 0);
  const [a, b] = [numbers(left), numbers(right)];
  for (let at = 0; at < 3; at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
