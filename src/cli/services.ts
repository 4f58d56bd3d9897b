import type { Command } from "commander";
import type { CliContext } from "./context.ts";
import { addServicesApplyCommand } from "./services-apply.ts";
import { addServicesExplainCommand } from "./services-explain.ts";
import { addServicesListCommand } from "./services-list.ts";
import { addServicesMapCommand } from "./services-map-command.ts";
import { addServicesWaitCommand } from "./services-wait.ts";

/** `patchbay services` and everything below it. */
export function addServicesCommand(
  program: Command,
  context: CliContext,
  setExitCode: (code: number) => void,
): void {
  const services = addServicesListCommand(program, context);
  addServicesExplainCommand(services, context, setExitCode);
  addServicesWaitCommand(services, context);
  addServicesApplyCommand(services, context);
  addServicesMapCommand(services, context);
}
