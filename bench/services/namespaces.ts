import { execFileSync, spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

/** A network namespace of the bench's own: /run/netns is the private node's, and goes with it. */
export interface Namespace extends AsyncDisposable {
  readonly name: string;
  readonly path: string;
  ip(command: string): void;
  sysctl(key: string, value: string): void;
  spawn(program: string, args: readonly string[], options?: SpawnOptions): ChildProcess;
}

let made = 0;

export function createNamespace(what: string): Namespace {
  const name = `svc-${what}-${process.pid}-${made++}`;
  run("ip", ["netns", "add", name]);
  const path = `/run/netns/${name}`;
  const inside = ["--net=" + path, "--"];
  const children = new Set<ChildProcess>();
  const namespace: Namespace = {
    name,
    path,
    ip: (command) => run("ip", ["-netns", name, ...command.split(" ")]),
    sysctl: (key, value) => run("nsenter", [...inside, "sysctl", "-qw", `${key}=${value}`]),
    spawn(program, args, options = {}) {
      const child = spawn("nsenter", [...inside, program, ...args], options);
      children.add(child);
      child.once("exit", () => children.delete(child));
      return child;
    },
    async [Symbol.asyncDispose]() {
      for (const child of [...children]) {
        child.kill("SIGKILL");
        await once(child, "exit");
      }
      run("ip", ["netns", "delete", name]);
    },
  };
  namespace.ip("link set lo up");
  return namespace;
}

/** A veth between two namespaces, up, with an address at each end ("10.200.0.1/30"). */
export function connect(
  one: { readonly namespace: Namespace; readonly ifname: string; readonly address: string },
  other: { readonly namespace: Namespace; readonly ifname: string; readonly address: string },
): void {
  one.namespace.ip(
    `link add ${one.ifname} type veth peer name ${other.ifname} netns ${other.namespace.name}`,
  );
  for (const { namespace, ifname, address } of [one, other]) {
    namespace.ip(`addr add ${address} dev ${ifname}`);
    namespace.ip(`link set ${ifname} up`);
  }
}

/** Everything that a child prints, when it has ended. */
export async function readOutput(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new TypeError("The child has no standard output");
  const [output] = await Promise.all([text(child.stdout), once(child, "exit")]);
  return output;
}

function run(program: string, args: readonly string[]): void {
  execFileSync(program, args, { stdio: ["ignore", "ignore", "inherit"], timeout: 20_000 });
}
