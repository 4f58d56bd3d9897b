/** Why an allocation was refused. */
export type IpamErrorCode =
  /** No address of a family that the policy requires is free or cooling. */
  | "pool-empty"
  /** A requested address is held by another attachment. */
  | "address-taken"
  /** A requested address lies in no range of the network. */
  | "address-outside"
  /** A requested address is a gateway, reserved or excluded. */
  | "address-reserved"
  /** The policy or a requested address needs a family that the network does not have. */
  | "family-missing"
  /** The request contradicts itself: two addresses of one family, or two families under Single. */
  | "request-invalid";

/** A refused allocation. The message names the network and the address or family. */
export class IpamError extends Error {
  override readonly name = "IpamError";
  readonly code: IpamErrorCode;
  readonly network: string;

  constructor(
    code: IpamErrorCode,
    fields: { network: string; reason: string },
    options?: ErrorOptions,
  ) {
    super(`Cannot allocate an address in network ${fields.network}: ${fields.reason}`, options);
    this.code = code;
    this.network = fields.network;
  }
}

/** A config that cannot be used: which field, what it must be, what it is. */
export class IpamConfigError extends Error {
  override readonly name = "IpamConfigError";
  /** Path of the field, for example "ipam.ranges[0][1].subnet". */
  readonly field: string;
  readonly expected: string;
  /** The value as JSON, cut to 80 characters. */
  readonly got: string;

  constructor(fields: { field: string; expected: string; got: unknown }, options?: ErrorOptions) {
    const got = shortJson(fields.got);
    super(`${fields.field}: expected ${fields.expected}, got ${got}`, options);
    this.field = fields.field;
    this.expected = fields.expected;
    this.got = got;
  }
}

function shortJson(value: unknown): string {
  // stringify has no text for undefined, functions and symbols; JSON has none of these.
  const text = (JSON.stringify(value) as string | undefined) ?? "nothing";
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
