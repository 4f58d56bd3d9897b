import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { PatchbayError } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";

/**
 * A small file that somebody else writes anew now and then: a token, a certificate. A change is seen by
 * what stat says behind all links, so that the swap of kubelet's "..data" link is one.
 */
export class CredentialFile {
  readonly path: string;
  readonly #what: string;
  #content: string | undefined;
  #stamp = "";

  /** What: the field or option that names it, for errors. */
  constructor(path: string, what: string) {
    this.path = path;
    this.#what = what;
  }

  /**
   * The content, read anew when the file changed. Once read it stays readable: a file that is just being
   * replaced is no reason to stop. Throws PatchbayError INVALID_KUBECONFIG.
   */
  read({ isRefused = false }: { readonly isRefused?: boolean } = {}): string {
    try {
      const stamp = stampOf(this.path);
      if (this.#content !== undefined && stamp === this.#stamp && !isRefused) return this.#content;
      const content = readBounded(this.path);
      if (content.trim() === "") throw new Error("it is empty");
      // Equal text stays the same string, so that comparing it costs nothing.
      if (content !== this.#content) this.#content = content;
      this.#stamp = stamp;
      return content;
    } catch (cause) {
      if (this.#content !== undefined) return this.#content;
      throw new PatchbayError("INVALID_KUBECONFIG", `Cannot read ${this.#what} ${this.path}`, {
        cause,
      });
    }
  }
}

function stampOf(path: string): string {
  const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
}

function readBounded(path: string): string {
  const file = openSync(path, "r");
  try {
    if (!fstatSync(file).isFile()) throw new Error("it is not a file");
    const buffer = Buffer.allocUnsafe(LIMITS.apiCredentialBytesMax + 1);
    let length = 0;
    for (let count = -1; count !== 0 && length < buffer.length; length += count) {
      count = readSync(file, buffer, length, buffer.length - length, null);
    }
    if (length > LIMITS.apiCredentialBytesMax) {
      throw new Error(`it has more than ${LIMITS.apiCredentialBytesMax} bytes`);
    }
    return buffer.toString("utf8", 0, length);
  } finally {
    closeSync(file);
  }
}
