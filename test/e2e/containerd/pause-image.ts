import { writeProgramImage } from "../../oci-image.ts";

/** Reference of the image that writePauseImage() makes. */
export const PAUSE_IMAGE = "localhost/patchbay-pause:1";

/** Writes the image of a sandbox: one program that waits until it is told to end. */
export function writePauseImage(file: string, program: Uint8Array): void {
  writeProgramImage(file, { reference: PAUSE_IMAGE, name: "pause", program });
}
