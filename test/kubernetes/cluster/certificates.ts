import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { ADDRESSES } from "./addresses.ts";

const run = promisify(execFile);
const days = "30";
const LIMIT_MS = 30_000;

/** Who a certificate is for. Kubernetes reads CN as the user and O as its group. */
export interface Holder {
  readonly cn: string;
  readonly o?: string;
  readonly signedBy?: "ca" | "front-proxy-ca";
  /** Subject alternative names as openssl writes them, for servers. */
  readonly names?: readonly string[];
}

export const HOLDERS = {
  apiserver: {
    cn: "kube-apiserver",
    names: [
      ...["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"].map(
        (name) => `DNS:${name}`,
      ),
      ...["127.0.0.1", ...ADDRESSES.node, ...ADDRESSES.apiService].map((ip) => `IP:${ip}`),
    ],
  },
  "apiserver-kubelet-client": { cn: "kube-apiserver-kubelet-client", o: "system:masters" },
  "front-proxy-client": { cn: "front-proxy-client", signedBy: "front-proxy-ca" },
  admin: { cn: "admin", o: "system:masters" },
  "controller-manager": { cn: "system:kube-controller-manager" },
  scheduler: { cn: "system:kube-scheduler" },
  "kube-proxy": { cn: "system:kube-proxy" },
  kubelet: { cn: `system:node:${ADDRESSES.nodeName}`, o: "system:nodes" },
} satisfies Record<string, Holder>;

export type User = Exclude<keyof typeof HOLDERS, "apiserver">;

/** Who gets a kubeconfig. */
export const USERS = [
  "admin",
  "controller-manager",
  "scheduler",
  "kube-proxy",
  "kubelet",
] as const satisfies readonly User[];

/**
 * The certificates of a cluster, below a folder: NAME.crt and NAME.key for each holder and authority, sa.key,
 * and NAME.kubeconfig for each user.
 */
export class Certificates {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(folder: string): Promise<Certificates> {
    const made = new Certificates(folder);
    mkdirSync(folder, { recursive: true });
    // Without the machine's own configuration nothing is added to what is asked for here.
    writeFileSync(made.file("openssl.cnf"), "[req]\ndistinguished_name = dn\n[dn]\n");
    await Promise.all([made.#makeAuthority("ca"), made.#makeAuthority("front-proxy-ca")]);
    await Promise.all([
      ...Object.entries<Holder>(HOLDERS).map(([name, holder]) => made.#sign(name, holder)),
      // Signs the tokens of ServiceAccounts.
      openssl(["genrsa", "-out", made.file("sa.key"), "2048"]),
    ]);
    for (const user of USERS) made.#writeKubeconfig(user);
    return made;
  }

  file(name: string): string {
    return join(this.folder, name);
  }

  #writeKubeconfig(user: User): void {
    const credentials = {
      "client-certificate": this.file(`${user}.crt`),
      "client-key": this.file(`${user}.key`),
    };
    const authority = this.file("ca.crt");
    const text = formatKubeconfig({ server: ADDRESSES.apiServer, authority, credentials });
    writeFileSync(this.file(`${user}.kubeconfig`), text);
  }

  async #makeAuthority(name: string): Promise<void> {
    await this.#request(name, [
      ...["-subj", `/CN=${name}`],
      ...["-addext", "basicConstraints=critical,CA:TRUE"],
      ...["-addext", "keyUsage=critical,keyCertSign,digitalSignature"],
    ]);
  }

  async #sign(name: string, { cn, o, names = [], signedBy = "ca" }: Holder): Promise<void> {
    await this.#request(name, [
      ...["-subj", `${o ? `/O=${o}` : ""}/CN=${cn}`],
      ...["-CA", this.file(`${signedBy}.crt`), "-CAkey", this.file(`${signedBy}.key`)],
      ...["-addext", "extendedKeyUsage=clientAuth,serverAuth"],
      ...(names.length > 0 ? ["-addext", `subjectAltName=${names.join(",")}`] : []),
    ]);
  }

  async #request(name: string, args: readonly string[]): Promise<void> {
    await openssl([
      ...["req", "-x509", "-config", this.file("openssl.cnf"), "-days", days, "-noenc"],
      ...["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
      ...["-keyout", this.file(`${name}.key`), "-out", this.file(`${name}.crt`)],
      ...args,
    ]);
  }
}

/** A kubeconfig with one cluster and one user. JSON is YAML, too. */
export function formatKubeconfig(parts: {
  readonly server: string;
  /** Its file. */
  readonly authority: string;
  /** As the user's fields are called in a kubeconfig. */
  readonly credentials: Readonly<Record<string, string>>;
}): string {
  const { server, authority, credentials } = parts;
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "kubernetes", cluster: { server, "certificate-authority": authority } }],
    users: [{ name: "user", user: credentials }],
    contexts: [{ name: "kubernetes", context: { cluster: "kubernetes", user: "user" } }],
    "current-context": "kubernetes",
  });
}

async function openssl(args: readonly string[]): Promise<void> {
  await run("openssl", args, { timeout: LIMIT_MS });
}

if (import.meta.main) {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) {
    console.error("Usage: node test/kubernetes/cluster/certificates.ts FOLDER");
    process.exitCode = 2;
  } else {
    await Certificates.make(resolve(folder));
  }
}
