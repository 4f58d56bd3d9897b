import { dirname, resolve } from "node:path";
import { type ManifestDocument, readJson, readYaml } from "../../manifests/documents.ts";

/** What is read of a kubeconfig (client-go, tools/clientcmd/api/v1): its current context. */
export interface Kubeconfig {
  readonly server: string;
  readonly serverName: string;
  readonly isInsecure: boolean;
  readonly ca: Material | undefined;
  readonly certificate: Material | undefined;
  readonly key: Material | undefined;
  readonly token: Material | undefined;
}

/** Text that stands in the kubeconfig, or the file that has it. The field is named as in the kubeconfig. */
export type Material =
  | { readonly kind: "text"; readonly field: string; readonly text: string }
  | { readonly kind: "file"; readonly field: string; readonly path: string };

/** What users may have in a kubeconfig and Patchbay does not do, with what to use instead. */
const REFUSED_OF_USER: Readonly<Record<string, string>> = {
  exec: "a token, tokenFile or client certificate: no program is run for credentials",
  "auth-provider": "a token, tokenFile or client certificate",
  username: "a token, tokenFile or client certificate: the API server has no passwords since 1.19",
  password: "a token, tokenFile or client certificate: the API server has no passwords since 1.19",
  as: "a user with the rights that are needed",
  "as-uid": "a user with the rights that are needed",
  "as-groups": "a user with the rights that are needed",
  "as-user-extra": "a user with the rights that are needed",
};

const REFUSED_OF_CLUSTER: Readonly<Record<string, string>> = {
  "proxy-url": "a server that is reached directly, or --api-server",
};

type Fields = Readonly<Record<string, unknown>>;

/** Throws Error that names the field and says what is wrong with it. */
export async function parseKubeconfig(text: string, file: string): Promise<Kubeconfig> {
  const root = fieldsOf(await readDocument(text), "the file");
  const contextName = textOf(root["current-context"], "current-context");
  if (contextName === "") throw new Error("current-context is not set");
  const context = entryOf(root, { list: "contexts", entry: "context", name: contextName });
  const clusterName = textOf(context.fields["cluster"], `${context.place}.cluster`);
  const userName = textOf(context.fields["user"], `${context.place}.user`);
  const cluster = entryOf(root, { list: "clusters", entry: "cluster", name: clusterName });
  const user =
    userName === ""
      ? { fields: {}, place: "users" }
      : entryOf(root, { list: "users", entry: "user", name: userName });
  refuse(cluster, REFUSED_OF_CLUSTER);
  refuse(user, REFUSED_OF_USER);
  const folder = dirname(resolve(file));
  const ca = materialOf(cluster, { field: "certificate-authority", folder });
  const certificate = materialOf(user, { field: "client-certificate", folder });
  const key = materialOf(user, { field: "client-key", folder });
  const isInsecure = flagOf(cluster, "insecure-skip-tls-verify");
  if (isInsecure && ca) {
    throw new Error(
      `${cluster.place}.insecure-skip-tls-verify stands beside ${ca.field}: keep one of them`,
    );
  }
  if ((certificate === undefined) !== (key === undefined)) {
    const missing = certificate ? "client-key" : "client-certificate";
    throw new Error(`${user.place}.${missing} is missing: certificate and key go together`);
  }
  return {
    server: textOf(cluster.fields["server"], `${cluster.place}.server`),
    serverName: textOf(cluster.fields["tls-server-name"], `${cluster.place}.tls-server-name`),
    isInsecure,
    ca,
    certificate,
    key,
    token: tokenOf(user, folder),
  };
}

async function readDocument(text: string): Promise<unknown> {
  const documents: ManifestDocument[] = [];
  if (/^\s*\{/.test(text)) documents.push(readJson(text));
  else {
    for await (const document of readYaml(text)) documents.push(document);
  }
  const values = documents.map(({ value }) => value).filter((value) => value !== null);
  if (values.length !== 1) throw new Error(`it has ${values.length} documents, expected 1`);
  return values[0];
}

interface Entry {
  readonly fields: Fields;
  /** "users[2].user". */
  readonly place: string;
}

/** The entry of a list of named ones; of several with one name the first counts, as in client-go. */
function entryOf(
  root: Fields,
  { list, entry, name }: { readonly list: string; readonly entry: string; readonly name: string },
): Entry {
  const items = root[list] ?? [];
  if (!Array.isArray(items)) throw new Error(`${list} is not a list`);
  for (const [index, item] of items.entries()) {
    const fields = fieldsOf(item, `${list}[${index}]`);
    if (fields["name"] !== name) continue;
    const place = `${list}[${index}].${entry}`;
    return { fields: fieldsOf(fields[entry] ?? {}, place), place };
  }
  throw new Error(`${list} has none of the name ${JSON.stringify(name)}`);
}

function refuse({ fields, place }: Entry, refused: Readonly<Record<string, string>>): void {
  for (const [field, instead] of Object.entries(refused)) {
    const value = fields[field] ?? "";
    if (value === "") continue;
    throw new Error(`${place}.${field} is not supported; use ${instead}`);
  }
}

/** "x" as a path, "x-data" as base64 of the content, which counts where both are there. */
function materialOf(
  { fields, place }: Entry,
  { field, folder }: { readonly field: string; readonly folder: string },
): Material | undefined {
  const data = textOf(fields[`${field}-data`], `${place}.${field}-data`);
  if (data !== "") {
    const text = Buffer.from(data, "base64").toString("utf8");
    if (!text.includes("-----BEGIN ")) {
      throw new Error(`${place}.${field}-data is not the base64 of PEM`);
    }
    return { kind: "text", field: `${place}.${field}-data`, text };
  }
  const path = textOf(fields[field], `${place}.${field}`);
  if (path === "") return undefined;
  return { kind: "file", field: `${place}.${field}`, path: resolve(folder, path) };
}

/** Of token and tokenFile the file counts, as in client-go (rest.Config, BearerTokenFile). */
function tokenOf({ fields, place }: Entry, folder: string): Material | undefined {
  const path = textOf(fields["tokenFile"], `${place}.tokenFile`);
  if (path !== "")
    return { kind: "file", field: `${place}.tokenFile`, path: resolve(folder, path) };
  const text = textOf(fields["token"], `${place}.token`);
  return text === "" ? undefined : { kind: "text", field: `${place}.token`, text };
}

function flagOf({ fields, place }: Entry, field: string): boolean {
  const value = fields[field] ?? false;
  if (typeof value !== "boolean") throw new Error(`${place}.${field} is not true or false`);
  return value;
}

function textOf(value: unknown, place: string): string {
  if (value === undefined || value === null) return "";
  if (typeof value !== "string") throw new Error(`${place} is not a text`);
  return value;
}

function fieldsOf(value: unknown, place: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Error(`${place} is not a mapping`);
  }
  return value as Fields;
}
