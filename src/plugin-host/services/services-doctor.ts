import type { DoctorFinding } from "../../rpc/generated/patchbay/host/v1/DoctorFinding.ts";
import type { ServicesCore } from "./services-core.ts";

/** What the host sees of its Services. */
export function examineServices(core: ServicesCore, problems: readonly string[]): DoctorFinding[] {
  // The folder of manifests may be there for networks alone.
  if (!core.isWanted) return problems.length === 0 ? [] : [examineProblems(core, problems)];
  return [examinePlanes(core), examineProblems(core, problems)];
}

function examinePlanes(core: ServicesCore): DoctorFinding {
  const check = "services-programmed";
  const down = core.planes.filter(({ trouble }) => trouble !== "");
  if (down.length === 0) {
    const message = `Data planes hold revision ${core.programmedRevision} of ${core.revision}`;
    return { check, severity: "ok", message, remedy: "" };
  }
  return {
    check,
    severity: down.some(({ builtIn }) => builtIn) ? "error" : "warning",
    message: `Services are not programmed: ${down.map(({ trouble }) => trouble).join("; ")}`,
    remedy:
      "The host goes on trying; a plugin that is not needed is stopped by removing its socket",
  };
}

function examineProblems(core: ServicesCore, problems: readonly string[]): DoctorFinding {
  const check = "services-objects";
  const all = [
    ...problems,
    ...core.table.problems().map(({ object, message }) => `${object}: ${message}`),
  ];
  const [first] = all;
  if (first === undefined) {
    return { check, severity: "ok", message: "Every object of Services can be read", remedy: "" };
  }
  return {
    check,
    severity: "warning",
    message:
      all.length === 1
        ? `A problem with manifests or Services: ${first}`
        : `${all.length} problems with manifests and Services, for example ${first}`,
    remedy: "Correct them; `patchbay services --json` names each",
  };
}
