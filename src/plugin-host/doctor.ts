import type { DoctorFinding } from "../rpc/generated/patchbay/host/v1/DoctorFinding.ts";
import { type HostContext, isInTrouble } from "./core/context.ts";
import { describePod } from "./core/detach.ts";
import { checkAttachments } from "./core/operator.ts";
import { formatErrorChain } from "./errors.ts";

/** What the running host sees; the CLI adds what can be seen without it. */
export async function examineNode(context: HostContext): Promise<DoctorFinding[]> {
  return [
    await examineJournal(context),
    examineUnfinished(context),
    ...(await examineOrphans(context)),
    await examineDrift(context),
    ...examinePools(context),
  ];
}

async function examineJournal(context: HostContext): Promise<DoctorFinding> {
  const entries = await context.ports.journal.read();
  if (entries.length === 0) return ok("del-journal", "No DEL waits in the journal");
  return {
    check: "del-journal",
    severity: "warning",
    message: `${entries.length} DELs of the shim wait in the journal`,
    remedy: "They are replayed every 10 seconds; if they stay, see `patchbay events`",
  };
}

function examineUnfinished(context: HostContext): DoctorFinding {
  const unfinished = [...context.state.attachments.values()].filter(
    (record) =>
      (record.state.kind === "attaching" || record.state.kind === "detaching") &&
      !context.locks.isHeld(record.containerId),
  );
  if (unfinished.length === 0)
    return ok("unfinished", "No attachment is half made or half removed");
  const [first] = unfinished.map((record) => `${record.ifname} of ${describePod(record)}`);
  return {
    check: "unfinished",
    severity: "warning",
    message: `Half made or half removed: ${unfinished.length} attachments, for example ${first}`,
    remedy: "The host goes on trying; `patchbay events` says what is in the way",
  };
}

async function examineOrphans(context: HostContext): Promise<DoctorFinding[]> {
  const { plugins } = context.ports;
  // Of one that cannot be called plugins-doctor.ts says why.
  const callable = plugins.names().filter((name) => (plugins.troubleOf?.(name) ?? "") === "");
  const findings = callable.map(async (name): Promise<DoctorFinding> => {
    const check = `orphans-${name}`;
    try {
      const held = (await plugins.find(name)?.list({ network: "" })) ?? [];
      const known: ReadonlyMap<string, unknown> = context.state.attachments;
      const orphans = held.filter(({ attachmentId }) => !known.has(attachmentId));
      if (orphans.length === 0) return ok(check, `Plugin ${name} holds nothing without a record`);
      return {
        check,
        severity: "warning",
        message: `Plugin ${name} holds without a record: ${orphans.map(({ object }) => object).join(", ")}`,
        remedy:
          "They are removed after a minute; if they come back, another host runs on this node",
      };
    } catch (error) {
      const message = `Plugin ${name} cannot list: ${formatErrorChain(error)}`;
      return { check, severity: "error", message, remedy: "See the host's log" };
    }
  });
  return Promise.all(findings);
}

async function examineDrift(context: HostContext): Promise<DoctorFinding> {
  const all = { attachmentId: "", pod: "", network: "", repair: false };
  // Those of plugins that cannot be called are told of elsewhere, and differ from nothing.
  // So are those that are half made or half removed.
  const checked = (await checkAttachments(context, all)).filter(
    ({ attachment }) =>
      attachment?.state === "attached" && !isInTrouble(context, attachment.plugin ?? ""),
  );
  const drifted = checked.filter(({ findings }) => (findings?.length ?? 0) > 0);
  if (drifted.length === 0) return ok("drift", `${checked.length} attachments are as recorded`);
  return {
    check: "drift",
    severity: "error",
    message: `${drifted.length} of ${checked.length} attachments differ from their record`,
    remedy:
      "`patchbay check` names each difference, and mends it with --repair; else recreate the pods",
  };
}

function examinePools(context: HostContext): DoctorFinding[] {
  const nowMs = context.ports.clock.monotonicMs();
  return [...context.state.networks.values()].flatMap(({ name, ipam, pool }) =>
    ipam.families.map((family): DoctorFinding => {
      const { capacity, free, cooling } = pool.counts(family, nowMs);
      const check = `pool-${name}-v${family}`;
      if ((free + cooling) * 10n >= capacity) {
        return ok(check, `Network ${name} has ${free} of ${capacity} IPv${family} addresses free`);
      }
      return {
        check,
        severity: free + cooling === 0n ? "error" : "warning",
        message: `Network ${name} has ${free + cooling} of ${capacity} IPv${family} addresses left`,
        remedy: "Enlarge ipam.ranges in the conflist, or delete pods",
      };
    }),
  );
}

function ok(check: string, message: string): DoctorFinding {
  return { check, severity: "ok", message, remedy: "" };
}
