import { resolve } from "node:path";
import type { ConformanceReport, RuleResult } from "../conformance/run.ts";
import { CliError, EXIT, whyRefused } from "./failure.ts";
import { formatNumber } from "./format.ts";
import { type Output, sanitize } from "./output.ts";
import { placeFile } from "./place-file.ts";

/** As wide as the longest id of a rule. */
const ID_COLUMNS = 26;

/** Shows results as they come, a line each, and the sum. */
export function matrixPrinter(output: Output): {
  row(result: RuleResult): void;
  end(report: ConformanceReport): void;
} {
  const marks = {
    pass: output.style("green", "pass"),
    fail: output.style("red", "FAIL"),
    skip: output.style("yellow", "skip"),
  };
  return {
    row({ id, result, ms, sentence, reason }) {
      const time = `${ms} ms`.padStart(9);
      const text = result === "pass" ? sentence : reason;
      output.line(`${marks[result]}  ${id.padEnd(ID_COLUMNS)} ${time}  ${sanitize(text)}`);
      if (result === "fail") output.line(`${" ".repeat(6)}the rule: ${sentence}`);
    },
    end({ plugin, results }) {
      const { pass, fail, skip } = countsOf(results);
      const name = sanitize(`${plugin.name} ${plugin.version}`);
      const rules = formatNumber(results.length, "rule");
      output.line(`${name}: ${rules}, ${pass} passed, ${fail} failed, ${skip} skipped`);
    },
  };
}

/** Writes the results for programs: to a file, or with "-" to standard output. Throws CliError. */
export function writeReport(
  output: Output,
  file: string,
  about: {
    readonly report: ConformanceReport;
    readonly network: string;
    readonly socket: string;
  },
): void {
  const { plugin, results } = about.report;
  const { pass: passed, fail: failed, skip: skipped } = countsOf(results);
  const { network, socket } = about;
  const value = { plugin, socket, network, passed, failed, skipped, results };
  if (file === "-") {
    output.json(value);
    return;
  }
  try {
    placeFile(resolve(file), Buffer.from(`${JSON.stringify(value, null, 2)}\n`), 0o644);
  } catch (cause) {
    throw new CliError(`Cannot write ${file}: ${whyRefused(cause)}`, EXIT.failure, { cause });
  }
}

function countsOf(results: readonly RuleResult[]): Record<RuleResult["result"], number> {
  const counts = { pass: 0, fail: 0, skip: 0 };
  for (const { result } of results) counts[result]++;
  return counts;
}
