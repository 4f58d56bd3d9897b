import { resolve } from "node:path";
import type { CliContext } from "./context.ts";
import { CliError, EXIT, whyRefused } from "./failure.ts";
import { sanitize } from "./output.ts";
import { placeFile } from "./place-file.ts";

/** Writes an SVG to a file, in place at once, and says so; without a file to standard output. */
export function writePicture(
  { output }: Pick<CliContext, "output">,
  picture: { readonly svg: string; readonly file: string | undefined; readonly what: string },
): void {
  const { svg, file, what } = picture;
  if (file === undefined) {
    output.line(svg.trimEnd());
    return;
  }
  try {
    placeFile(resolve(file), Buffer.from(svg), 0o644);
  } catch (cause) {
    throw new CliError(`Cannot write ${file}: ${whyRefused(cause)}`, EXIT.failure, { cause });
  }
  output.line(sanitize(`Drew ${what}: ${file}`));
}
