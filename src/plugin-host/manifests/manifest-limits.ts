/** Bounds of the manifest folder. */
export const MANIFEST_LIMITS = {
  /** Bytes of a manifest file. */
  fileBytesMax: 32 << 20,
  /** Manifest files of the folder; those that come later by name are not read. */
  filesMax: 20_000,
  /** Objects of all files together. */
  objectsMax: 200_000,
  /** Problems told of one file. */
  problemsOfFileMax: 10,
  /** Problems told at once. */
  problemsMax: 100,
  /** A file that somebody seems to be writing counts when it has not changed for this long, ms. */
  settleMs: 10,
  /** A broken file is a problem when it has stayed so for this long, ms. */
  brokenMs: 100,
  /** Pause between two looks at all files in case an event was lost, ms. */
  pollMs: 10_000,
  /** Pause between two looks for a folder that is not there, ms. */
  missingFolderMs: 100,
  /** Longest time that reading keeps everything else of the host waiting, ms. */
  sliceMs: 10,
} as const;

export type ManifestLimits = { readonly [Name in keyof typeof MANIFEST_LIMITS]: number };
