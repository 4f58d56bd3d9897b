/** Waits until no other set-up holds the lock file, and returns what releases it. */
export function acquireLock(file: string, subject: string): () => void;
