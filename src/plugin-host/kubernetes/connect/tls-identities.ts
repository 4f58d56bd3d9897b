import { X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { PatchbayError } from "../../errors.ts";
import type { TlsIdentity } from "./api-access.ts";

/** PEM, and the field or file it came from; "": it is not given. */
export interface Pem {
  readonly text: string;
  readonly name: string;
}

export interface TlsMaterial {
  readonly ca: Pem | undefined;
  readonly certificate: Pem | undefined;
  readonly key: Pem | undefined;
  readonly serverName: string;
  readonly isInsecure: boolean;
}

/** Makes identities of what was read: the same one as long as that is the same. */
export class TlsIdentities {
  #material: TlsMaterial | undefined;
  #identity: TlsIdentity | undefined;

  /**
   * The identity of this material; the one before where it cannot be used, because certificate and key are
   * two files, which do not match between their renewals. Throws PatchbayError INVALID_KUBECONFIG.
   */
  of(material: TlsMaterial): TlsIdentity {
    if (this.#identity && this.#material && areEqual(material, this.#material)) {
      return this.#identity;
    }
    try {
      this.#identity = makeIdentity(material);
      this.#material = material;
    } catch (error) {
      if (!this.#identity) throw error;
    }
    return this.#identity;
  }
}

function makeIdentity({ ca, certificate, key, serverName, isInsecure }: TlsMaterial): TlsIdentity {
  // OpenSSL passes over an authority that it cannot read, and then trusts nobody, or everybody's.
  if (ca) use([ca], () => new X509Certificate(ca.text));
  const pair = certificate && key ? { cert: certificate.text, key: key.text } : {};
  const context = use([ca, certificate, key], () =>
    createSecureContext({ ...(ca && { ca: ca.text }), ...pair }),
  );
  return { context, serverName, isInsecure };
}

function use<T>(pems: readonly (Pem | undefined)[], make: () => T): T {
  try {
    return make();
  } catch (cause) {
    const names = pems.flatMap((pem) => pem?.name ?? []);
    throw new PatchbayError("INVALID_KUBECONFIG", `Cannot use ${names.join(", ")}`, { cause });
  }
}

function areEqual(left: TlsMaterial, right: TlsMaterial): boolean {
  return (
    left.ca?.text === right.ca?.text &&
    left.certificate?.text === right.certificate?.text &&
    left.key?.text === right.key?.text &&
    left.serverName === right.serverName &&
    left.isInsecure === right.isInsecure
  );
}
