/** What main.ts says to every step. */
export interface Options {
  /** On a disk, and removed at the end. */
  readonly folder: string;
  readonly quick: boolean;
  readonly progress: (line: string) => void;
}
