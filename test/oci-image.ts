import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";

/** What an image of one static program is made of. */
export interface ProgramImage {
  readonly reference: string;
  /** Its file is "/NAME", which is also the entrypoint. */
  readonly name: string;
  readonly program: Uint8Array;
}

/** Writes an OCI image of one file as a tar that `ctr images import` reads. */
export function writeProgramImage(file: string, image: ProgramImage): void {
  const layer = tar([{ name: image.name, content: image.program, mode: 0o755 }]);
  const config = json({
    architecture: process.arch === "arm64" ? "arm64" : "amd64",
    os: "linux",
    config: { Entrypoint: [`/${image.name}`], Env: ["PATH=/"], WorkingDir: "/" },
    rootfs: { type: "layers", diff_ids: [digest(layer)] },
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: describe("application/vnd.oci.image.config.v1+json", config),
    layers: [describe("application/vnd.oci.image.layer.v1.tar", layer)],
  });
  const index = json({
    schemaVersion: 2,
    manifests: [
      {
        ...describe("application/vnd.oci.image.manifest.v1+json", manifest),
        annotations: { "io.containerd.image.name": image.reference },
      },
    ],
  });
  const blobs = [layer, config, manifest].map((content) => ({
    name: `blobs/sha256/${digest(content).slice("sha256:".length)}`,
    content,
    mode: 0o644,
  }));
  const layout = json({ imageLayoutVersion: "1.0.0" });
  writeFileSync(
    file,
    tar([
      { name: "oci-layout", content: layout, mode: 0o644 },
      { name: "index.json", content: index, mode: 0o644 },
      ...blobs,
    ]),
  );
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function digest(content: Uint8Array): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

function describe(mediaType: string, content: Uint8Array) {
  return { mediaType, digest: digest(content), size: content.byteLength };
}

interface TarFile {
  /** At most 100 bytes. */
  readonly name: string;
  readonly content: Uint8Array;
  readonly mode: number;
}

/** A tar (POSIX ustar) of plain files that belong to root. */
function tar(files: readonly TarFile[]): Buffer {
  const blocks = files.flatMap((file) => [
    tarHeader(file),
    file.content,
    Buffer.alloc(-file.content.byteLength & 511),
  ]);
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

function tarHeader({ name, content, mode }: TarFile): Buffer {
  const header = Buffer.alloc(512);
  const octal = (value: number, offset: number, digits: number) =>
    header.write(value.toString(8).padStart(digits, "0"), offset);
  header.write(name, 0);
  octal(mode, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(content.byteLength, 124, 11);
  octal(0, 136, 11);
  // The checksum counts itself as blanks.
  header.fill(" ", 148, 156);
  header.write("0", 156);
  header.write("ustar\u000000", 257);
  octal(
    header.reduce((sum, byte) => sum + byte, 0),
    148,
    6,
  );
  header.write("\0 ", 154);
  return header;
}
