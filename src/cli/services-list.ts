import type { Command } from "commander";
import type { FrontendView__Output } from "../rpc/generated/patchbay/host/v1/FrontendView.ts";
import type { ServiceView__Output } from "../rpc/generated/patchbay/host/v1/ServiceView.ts";
import {
  type CliContext,
  type CommonOptions,
  hostNotRunning,
  withCommonOptions,
  withHost,
} from "./context.ts";
import { CliError } from "./failure.ts";
import { sanitize } from "./output.ts";
import {
  describeAffinity,
  describeRoutes,
  type FrontendStateKind,
  formatFrontend,
  stateOf,
} from "./services-text.ts";
import { createChangePrinter } from "./services-watch.ts";
import { type Column, printTable } from "./table.ts";

interface ServicesOptions extends CommonOptions {
  readonly watch?: true;
}

export function addServicesListCommand(program: Command, context: CliContext): Command {
  const command = program
    .command("services")
    .argument("[service]", "NAMESPACE/NAME, or the beginning of one; absent: all")
    .description("list Services as programmed on this node; explain, wait for, apply or draw them")
    .option("--watch", "then show every change, until interrupted; JSON: one object a line")
    .addHelpText(
      "after",
      `
ENDPOINTS is their number, or what becomes of packets instead; where packets of pods and of the node
(inside) and all others (outside) fare differently, both. MASQUERADE says whose source address
becomes the node's.

Examples:
  $ npx patchbay services default/web
  $ npx patchbay services --watch --json | jq .change
  $ npx patchbay services explain --from node --to 10.96.0.10:80/tcp`,
    );
  withCommonOptions(command).action(async (service = "") => {
    const { root, json, watch } = command.opts<ServicesOptions>();
    const what = watch ? "watch the Services" : "list the Services";
    await withHost(context, { root, what }, async (host) => {
      if (watch) {
        const printChange = createChangePrinter(context.output);
        for await (const change of host.watchServices({ service })) {
          if (json) context.output.jsonLine(change);
          else printChange(change);
        }
        throw hostNotRunning(root);
      }
      const response = await host.listServices({ service });
      const { services, unserved } = response;
      const isUnmatched = service !== "" && services.length === 0 && unserved.length === 0;
      if (json && !isUnmatched) {
        context.output.json(response);
        return;
      }
      if (services.length > 0 || service === "") printServices(context, services);
      for (const line of unserved) {
        context.output.line(sanitize(`Nothing to program of ${line}`));
      }
      for (const problem of response.problems) {
        context.output.errorLine(`problem: ${sanitize(problem)}`);
      }
      if (isUnmatched) throw noSuchService(service);
    });
  });
  return command;
}

export function noSuchService(service: string): CliError {
  const names = service.includes("/")
    ? "see `patchbay services` for those there are"
    : `names are NAMESPACE/NAME, for example default/${service}`;
  return new CliError(`No Service is or begins with ${service}: ${names}`);
}

interface Row {
  readonly service: ServiceView__Output;
  /** Absent: the Service has no way in. */
  readonly frontend?: FrontendView__Output;
}

function printServices({ output }: CliContext, services: readonly ServiceView__Output[]): void {
  const rows = services.flatMap((service): Row[] =>
    service.frontends.length === 0
      ? [{ service }]
      : service.frontends.map((frontend) => ({ service, frontend })),
  );
  const isCounted = rows.some(({ frontend }) => frontend?.countsConnections);
  printTable(output, isCounted ? [...columns, connections, state] : [...columns, state], rows);
}

const columns: readonly Column<Row>[] = [
  { title: "SERVICE", value: ({ service }) => service.service },
  { title: "KIND", value: ({ frontend }) => frontend?.kind ?? "" },
  {
    title: "ADDRESS:PORT/PROTO",
    value: ({ frontend }) => (frontend ? formatFrontend(frontend) : ""),
  },
  {
    title: "ENDPOINTS",
    value: ({ frontend }) => (frontend ? describeRoutes(frontend) : ""),
    style: ({ frontend }) => (frontend && isForwarded(frontend) ? undefined : "yellow"),
  },
  { title: "MASQUERADE", value: ({ frontend }) => frontend?.masquerade ?? "" },
  { title: "AFFINITY", value: ({ frontend }) => (frontend ? describeAffinity(frontend) : "") },
];

const connections: Column<Row> = {
  title: "CONNECTIONS",
  value: ({ frontend }) => (frontend?.countsConnections ? String(frontend.connections) : ""),
  align: "right",
};

const stateStyles = {
  programmed: "green",
  pending: "yellow",
  refused: "red",
  shadowed: "yellow",
} as const satisfies Record<FrontendStateKind, string>;

const state: Column<Row> = {
  title: "STATE",
  value: ({ service, frontend }) => (frontend ? stateOf(frontend, service).text : "no frontend"),
  style: ({ service, frontend }) =>
    frontend ? stateStyles[stateOf(frontend, service).kind] : undefined,
};

function isForwarded({ inside, outside }: FrontendView__Output): boolean {
  return inside?.verdict === "forward" && outside?.verdict === "forward";
}
