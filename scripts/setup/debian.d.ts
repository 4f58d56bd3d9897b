/** Why packages cannot be installed here; undefined when they can. */
export function findObstacle(): string | undefined;

/** Installs packages. Throws SetupError when apt-get fails. */
export function aptInstall(names: readonly string[]): void;
