/** Every bound of the host. docs/limits.md shows the same table; a test holds both equal. */
export const LIMITS = {
  /** CNI calls that run at the same time. */
  runningMax: 256,
  /** CNI calls that wait for their turn; one more is answered with code 11. */
  waitingMax: 1024,
  /** Longest wait of a CNI call in the queue, ms. */
  waitMs: 60_000,
  /** Attach of one network by its plugin, ms. */
  attachMs: 30_000,
  /** Detach of one network by its plugin, ms. */
  detachMs: 60_000,
  /** Check of one network by its plugin, ms. */
  checkMs: 30_000,
  /** List of one plugin, ms. */
  listMs: 30_000,
  /** Syncing the state database to disk, ms. */
  flushMs: 5_000,
  /** Reading the DEL journal, ms. */
  journalMs: 10_000,
  /** Pause between two rounds of reconciliation (leaks, unfinished detaches, journal), ms. */
  reconcileMs: 10_000,
  /** Shortest time between the two observations after which something is judged leaked, ms. */
  leakGraceMs: 60_000,
  /** Attachments recorded at the same time. */
  attachmentsMax: 10_000,
  /** Networks known at the same time. */
  networksMax: 1_024,
  /** Events kept for `patchbay events`. */
  eventsMax: 1_000,
  /** Watches of attachments and events at the same time; one more is refused. */
  watchersMax: 32,
  /** Messages that wait for a slow watcher before it is hung up on. */
  watchBacklogMax: 1_000,
  /** Entries of the DEL journal replayed in one round. */
  journalBatchMax: 1_000,
  /** Bytes of one entry of the DEL journal. */
  journalEntryBytesMax: 2 << 20,
  /** Bytes of a network configuration. */
  configBytesMax: 1 << 20,
  /** Entries of a GC list. */
  gcListMax: 100_000,
  /** Time to finish running calls when the host stops, ms. */
  stopGraceMs: 10_000,
} as const;
