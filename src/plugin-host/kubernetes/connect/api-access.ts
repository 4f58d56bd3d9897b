import type { SecureContext } from "node:tls";

/** Where the API server is and who asks; see read-api-access.ts. */
export interface ApiAccess {
  /** Where it was read: "kubeconfig /etc/kubernetes/kubelet.conf". */
  readonly source: string;
  /**
   * What the next request goes with. Files are read anew when they changed; what cannot be read any more
   * stays as it was. Throws PatchbayError INVALID_KUBECONFIG when there is nothing to stay with.
   */
  credentials(options?: {
    /** The server refused: read the files also if they look unchanged. */
    readonly isRefused?: boolean;
  }): Promise<ApiCredentials>;
}

export interface ApiCredentials {
  /** At least one; the first is tried first. */
  readonly servers: readonly URL[];
  /** Of "Authorization: Bearer"; "": none. */
  readonly token: string;
  /** The same object as long as nothing of it changed. */
  readonly tls: TlsIdentity;
}

/** How an https server is met. */
export interface TlsIdentity {
  /** CA and client certificate. */
  readonly context: SecureContext;
  /** Name that the server's certificate must have, in place of the URL's host; "": the host. */
  readonly serverName: string;
  /** Whoever answers is believed. */
  readonly isInsecure: boolean;
}
