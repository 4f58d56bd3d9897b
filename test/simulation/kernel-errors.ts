import { errno } from "../../src/kernel/errno.ts";
import { KernelError } from "../../src/kernel/kernel-error.ts";
import type { Rng } from "./rng.ts";

const CODES = [
  "EEXIST",
  "ENOBUFS",
  "ENOMEM",
  "EBUSY",
  "ENODEV",
  "EACCES",
  "EPERM",
  "EINVAL",
  "ENOENT",
  "EINTR",
  "EOPNOTSUPP",
  "EMFILE",
] as const;

/** A refusal of the kernel for no reason that the host can see. */
export function drawKernelError(rng: Rng, operation: string): KernelError {
  const code = rng.oneOf(...CODES);
  return new KernelError({ errno: errno[code], code, operation, object: "by the simulator" });
}
