import { resolve } from "node:path";
import type { Command } from "commander";
import type { DoctorFinding__Output } from "../rpc/generated/patchbay/host/v1/DoctorFinding.ts";
import type { KubernetesStatus__Output } from "../rpc/generated/patchbay/host/v1/KubernetesStatus.ts";
import { type CliContext, type CommonOptions, withCommonOptions, withHost } from "./context.ts";
import { examineKubeProxy, examineRanges } from "./doctor-cluster.ts";
import { examineMachine } from "./doctor-local.ts";
import { CliError, EXIT } from "./failure.ts";
import { formatNumber } from "./format.ts";
import { cniBinDirOption, cniConfDirOption } from "./install.ts";
import { CLI_LIMITS } from "./limits.ts";
import { sanitize } from "./output.ts";

/** One thing looked at, here or by the host. */
export type Finding = Pick<DoctorFinding__Output, "check" | "severity" | "message" | "remedy">;

interface DoctorOptions extends CommonOptions {
  readonly cniBinDir: string;
  readonly cniConfDir: string;
}

export function addDoctorCommand(
  program: Command,
  context: CliContext,
  setExitCode: (code: number) => void,
): void {
  const command = program
    .command("doctor")
    .description("look for what is wrong on this node, and say what to do; works without the host")
    .addOption(cniBinDirOption())
    .addOption(cniConfDirOption());
  withCommonOptions(command)
    .addHelpText("after", "\nExit code 1 when something is an error; warnings are none.")
    .action(async () => {
      const options = command.opts<DoctorOptions>();
      const cniConfDir = resolve(options.cniConfDir);
      const kubernetes = await findCluster(context, options.root);
      const local = examineMachine({
        root: resolve(options.root),
        cniBinDir: resolve(options.cniBinDir),
        cniConfDir,
        packageFolder: context.packageFolder,
        hasCluster: Boolean(kubernetes),
      });
      const asked = await askHost(context, options.root);
      const findings = [
        ...local,
        ...asked,
        ...(await examineCluster(context, { cniConfDir, kubernetes })),
      ];
      if (findings.some(({ severity }) => severity === "error")) setExitCode(EXIT.failure);
      if (options.json) context.output.json({ findings });
      else printFindings(context, findings);
    });
}

/** The host's own findings, or that there is no host to ask. */
async function askHost(context: CliContext, root: string): Promise<Finding[]> {
  const call = { root, what: "ask the host for its findings", timeoutMs: CLI_LIMITS.longCallMs };
  try {
    const { findings } = await withHost(context, call, (host) => host.doctor());
    return [
      { check: "plugin-host", severity: "ok", message: "The plugin host answers", remedy: "" },
      ...findings,
    ];
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    const [message = "", ...remedy] = error.message.split(": ");
    return [
      { check: "plugin-host", severity: "error", message, remedy: upperFirst(remedy.join(": ")) },
    ];
  }
}

/** Null: the host runs without one; undefined: it cannot be asked, which is told of elsewhere. */
type ClusterAnswer = KubernetesStatus__Output | null | undefined;

async function findCluster(context: CliContext, root: string): Promise<ClusterAnswer> {
  try {
    const call = { root, what: "ask for the host's state" };
    return (await withHost(context, call, (host) => host.getStatus())).kubernetes;
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return undefined;
  }
}

/** What conflist and kernel say beside the cluster. Nothing where the host cannot be asked, which is told of already. */
async function examineCluster(
  context: CliContext,
  { cniConfDir, kubernetes }: { readonly cniConfDir: string; readonly kubernetes: ClusterAnswer },
): Promise<Finding[]> {
  if (kubernetes === undefined) return [];
  return [
    ...examineRanges(cniConfDir, kubernetes),
    ...(kubernetes ? await examineKubeProxy(context.openNode().nftables) : []),
  ];
}

function printFindings({ output }: CliContext, findings: readonly Finding[]): void {
  const marks = {
    ok: output.style("green", "ok     "),
    warning: output.style("yellow", "warning"),
    error: output.style("red", "error  "),
  };
  for (const { check, severity, message, remedy } of findings) {
    const mark = severity === "ok" || severity === "warning" ? marks[severity] : marks.error;
    output.line(`${mark}  ${sanitize(check)}: ${sanitize(message)}`);
    if (remedy) output.line(`         what to do: ${sanitize(remedy)}`);
  }
  const count = (wanted: string) => findings.filter(({ severity }) => severity === wanted).length;
  const errors = formatNumber(count("error"), "error");
  output.line(`${errors}, ${formatNumber(count("warning"), "warning")}, ${count("ok")} ok`);
}

function upperFirst(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
