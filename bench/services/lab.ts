import { join } from "node:path";
import { connect, createNamespace, type Namespace } from "./namespaces.ts";
import { untilReady } from "./run-task.ts";
import { TARGET_PORT } from "./sample-services.ts";

/** bench/native/dial.c. */
export const DIAL: string = join(import.meta.dirname, "../../build/bench-dial");
const READY_MS = 20_000;

/** A client and servers, with `routers` nodes between them: client -> router N -> servers of lane N. */
export interface Lab extends AsyncDisposable {
  readonly client: Namespace;
  readonly server: Namespace;
  readonly routers: readonly Namespace[];
}

export async function createLab(routers: number): Promise<Lab> {
  await using stack = new AsyncDisposableStack();
  const client = stack.use(createNamespace("client"));
  const server = stack.use(createNamespace("server"));
  const numbers = Array.from({ length: routers }, (_, number) => number);
  const made = numbers.map((number) => stack.use(createRouter(number, { client, server })));
  const addresses = numbers.flatMap(targetsOf).map((address) => `${address}:${TARGET_PORT}`);
  const listening = server.spawn(DIAL, [server.path, "serve", ...addresses], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await untilReady(listening, READY_MS);
  const all = stack.move();
  return { client, server, routers: made, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** A router between client and server, with routes that lead through it. */
function createRouter(
  number: number,
  { client, server }: { readonly client: Namespace; readonly server: Namespace },
): Namespace {
  const router = createNamespace(`router${number}`);
  router.sysctl("net.ipv4.ip_forward", "1");
  const near = `10.200.${number}`;
  const far = `10.201.${number}`;
  connect(
    { namespace: client, ifname: `r${number}`, address: `${near}.2/30` },
    { namespace: router, ifname: "client", address: `${near}.1/30` },
  );
  connect(
    { namespace: server, ifname: `r${number}`, address: `${far}.2/24` },
    { namespace: router, ifname: "server", address: `${far}.1/24` },
  );
  for (const address of targetsOf(number).slice(1)) {
    server.ip(`addr add ${address}/24 dev r${number}`);
  }
  client.ip(`route add ${far}.0/24 via ${near}.1`);
  client.ip(`route add ${probeOf(number)}/32 via ${near}.1`);
  server.ip(`route add ${near}.0/30 via ${far}.1`);
  return router;
}

/** The cluster IP that is dialled through a router; outside of what the others have. */
export function probeOf(number: number): string {
  return `10.79.255.${number + 1}`;
}

/** Where a router's endpoints listen, on TARGET_PORT. */
export function targetsOf(number: number): string[] {
  return [2, 3, 4].map((host) => `10.201.${number}.${host}`);
}
