import { PatchbayError } from "../errors.ts";

/**
 * Path of a container runtime's socket: a path, or a URL as kubelet's containerRuntimeEndpoint has it
 * ("unix:///run/containerd/containerd.sock"). Throws PatchbayError.
 */
export function parseRuntimeEndpoint(text: string): string {
  const path = text.replace(/^unix:(\/\/)?(?=\/(?!\/))/, "");
  if (path.startsWith("/") && !path.includes("\0")) return path;
  throw new PatchbayError(
    "INVALID_ENVIRONMENT",
    `Runtime endpoint ${JSON.stringify(text)} is neither an absolute path nor unix:// and one`,
  );
}
