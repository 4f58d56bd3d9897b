/**
 * A refusal of the kernel. The message names the operation, the object and, where the kernel gave
 * one, its own words (extended acknowledgement, NLMSGERR_ATTR_MSG).
 */
export class KernelError extends Error {
  override readonly name = "KernelError";
  /** errno as a positive number; 0 when the failure is not the kernel's (worker gone, bad answer). */
  readonly errno: number;
  /** "EEXIST"… */
  readonly code: string;
  /** For example "add-link". */
  readonly operation: string;
  /** For example "veth pb0123456789 in the node". */
  readonly object: string;
  /** The kernel's own words, or "". */
  readonly extendedAck: string;

  constructor(
    fields: {
      errno: number;
      code: string;
      operation: string;
      object: string;
      extendedAck?: string;
    },
    options?: ErrorOptions,
  ) {
    const words = fields.extendedAck ? ` (${fields.extendedAck})` : "";
    super(`Cannot ${fields.operation} ${fields.object}: ${fields.code}${words}`, options);
    this.errno = fields.errno;
    this.code = fields.code;
    this.operation = fields.operation;
    this.object = fields.object;
    this.extendedAck = fields.extendedAck ?? "";
  }
}

/** True when the kernel refused this operation with this code. */
export function isRefusal(error: unknown, operation: string, code: string): error is KernelError {
  return error instanceof KernelError && error.operation === operation && error.code === code;
}
