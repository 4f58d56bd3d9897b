import { createHash } from "node:crypto";
import { READ_ANNOTATIONS, READ_LABELS } from "../../../services/read-metadata.ts";

/** One more when anything of Kept changes its shape, or is kept that was not. */
const SHAPE = 1;

/**
 * What is kept of objects, in short. Objects that were kept by another format lack what this one
 * reads, and a watch would never bring it.
 */
export const KEPT_FORMAT = `${SHAPE}-${createHash("sha1")
  .update(JSON.stringify([READ_LABELS, READ_ANNOTATIONS]))
  .digest("base64url")}`;
