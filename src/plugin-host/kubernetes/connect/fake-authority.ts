import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface FakeCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** An authority of a test's own, by openssl; its certificates are good for two days. */
export class FakeAuthority implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "patchbay-ca-"));
  readonly certificate: string;

  constructor(name = "test-ca") {
    this.#openssl("ca", name, []);
    this.certificate = readFileSync(join(this.#folder, "ca.pem"), "utf8");
  }

  /** Names: "DNS:api.example" or "IP:127.0.0.1"; without any it is a client's. */
  issue(commonName: string, names: readonly string[] = []): FakeCertificate {
    const altNames = names.length > 0 ? ["-addext", `subjectAltName=${names.join(",")}`] : [];
    const { pem, key } = this.#openssl(commonName, commonName, [
      "-CA",
      join(this.#folder, "ca.pem"),
      "-CAkey",
      join(this.#folder, "ca.key"),
      "-addext",
      "basicConstraints=critical,CA:FALSE",
      ...altNames,
    ]);
    return { certificate: readFileSync(pem, "utf8"), key: readFileSync(key, "utf8") };
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #openssl(
    file: string,
    commonName: string,
    more: readonly string[],
  ): { pem: string; key: string } {
    const pem = join(this.#folder, `${file}.pem`);
    const key = join(this.#folder, `${file}.key`);
    const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    execFileSync(
      "openssl",
      [
        "req",
        "-x509",
        ...kind,
        "-days",
        "2",
        "-subj",
        `/CN=${commonName}`,
        "-out",
        pem,
        "-keyout",
        key,
        ...more,
      ],
      { stdio: "pipe", timeout: 30_000 },
    );
    return { pem, key };
  }
}
