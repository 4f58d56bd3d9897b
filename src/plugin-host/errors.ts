/**
 * The catalogue of everything that can go wrong on purpose: the code of a CNI error object (CNI 1.1,
 * "Error"; 100 and above are our own), the gRPC status where the same is said over gRPC, and what
 * the user should do. docs/errors.md shows the same table; a test holds both equal.
 * 3 ("container unknown") is never used: it tells the runtime that nothing needs cleaning.
 */
export const ERRORS = {
  INCOMPATIBLE_CNI_VERSION: {
    cni: 1,
    grpc: "INVALID_ARGUMENT",
    remedy: "Set cniVersion in the conflist to a supported version, 0.3.0 to 1.1.0",
  },
  INVALID_ENVIRONMENT: {
    cni: 4,
    grpc: "INVALID_ARGUMENT",
    remedy: "Report to the container runtime: it left out or mangled the variable named",
  },
  IO_FAILURE: {
    cni: 5,
    grpc: "UNAVAILABLE",
    remedy: "Check free space and permissions of the state folder, see `patchbay doctor`",
  },
  UNDECODABLE_CONTENT: {
    cni: 6,
    grpc: "INVALID_ARGUMENT",
    remedy: "Correct the JSON of the conflist",
  },
  INVALID_NETWORK_CONFIG: {
    cni: 7,
    grpc: "INVALID_ARGUMENT",
    remedy:
      "Correct the field named: in the conflist or NetworkAttachmentDefinition, or what pod or runtime ask for (annotation, runtimeConfig, CNI_ARGS)",
  },
  OWN_NETNS: {
    cni: 8,
    grpc: "INVALID_ARGUMENT",
    remedy: "Give the pod a network namespace of its own",
  },
  HOST_NOT_READY: {
    cni: 11,
    grpc: "UNAVAILABLE",
    remedy: "Wait: the host is starting or stopping",
  },
  NODE_RANGES_UNKNOWN: {
    cni: 11,
    grpc: "UNAVAILABLE",
    remedy:
      "Wait until the Node object has spec.podCIDRs (kube-controller-manager with --allocate-node-cidrs and --cluster-cidr), or give the network ranges of its own",
  },
  QUEUE_FULL: {
    cni: 11,
    grpc: "RESOURCE_EXHAUSTED",
    remedy: "Wait: the runtime tries again; too many pods start at once",
  },
  NETWORK_NOT_FOUND: {
    cni: 11,
    grpc: "NOT_FOUND",
    remedy: "Create what the pod's annotation names, or correct the name; the runtime tries again",
  },
  PLUGIN_UNAVAILABLE: {
    cni: 11,
    grpc: "UNAVAILABLE",
    remedy:
      "See `patchbay plugins`: start or mend the plugin that the network names, or correct the name",
  },
  POOL_EMPTY: {
    cni: 11,
    grpc: "RESOURCE_EXHAUSTED",
    remedy: "Delete pods or enlarge ipam.ranges, see `patchbay ipam`",
  },
  ADDRESS_TAKEN: {
    cni: 11,
    grpc: "ALREADY_EXISTS",
    remedy:
      "Wait until the holder is gone, or ask for another address, see `patchbay ipam --leases`",
  },
  ATTACH_FAILED: {
    cni: 11,
    grpc: "UNAVAILABLE",
    remedy: "See the details and `patchbay doctor`; the runtime tries again",
  },
  DETACH_FAILED: {
    cni: 11,
    grpc: "UNAVAILABLE",
    remedy: "See the details; the host and the runtime try again",
  },
  CHECK_FAILED: {
    cni: 11,
    grpc: "UNAVAILABLE",
    remedy: "See the details: the state could not be read, which says nothing about the pod",
  },
  HOST_PORT_TAKEN: {
    cni: 11,
    grpc: "ALREADY_EXISTS",
    remedy: "Choose another hostPort, or wait until the pod or Service named gives it up",
  },
  NOT_PROGRAMMED: {
    cni: 11,
    grpc: "UNAVAILABLE",
    remedy: "See `patchbay events`: what the data plane lacks; the runtime tries again",
  },
  DEADLINE_EXCEEDED: {
    cni: 11,
    grpc: "DEADLINE_EXCEEDED",
    remedy: "See which step is slow in the metrics; the runtime tries again",
  },
  NOT_READY: {
    cni: 50,
    grpc: "UNAVAILABLE",
    remedy: "See the reason given; no new pods until it is mended",
  },
  INTERNAL: {
    cni: 100,
    grpc: "INTERNAL",
    remedy: "Report a bug with the host's log",
  },
  REFUSED: {
    cni: 101,
    grpc: "PERMISSION_DENIED",
    remedy: "Run as root, or as the user that runs the host",
  },
  ADDRESS_NOT_IN_POOL: {
    cni: 102,
    grpc: "INVALID_ARGUMENT",
    remedy: "Ask for an address inside ipam.ranges that is neither gateway nor excluded",
  },
  DRIFT: {
    cni: 103,
    grpc: "FAILED_PRECONDITION",
    remedy: "Recreate the pod; `patchbay check` names each difference",
  },
  NOT_ATTACHED: {
    cni: 104,
    grpc: "NOT_FOUND",
    remedy: "Nothing is recorded under this id: see `patchbay attachments`",
  },
  INTERFACE_EXISTS: {
    cni: 105,
    grpc: "ALREADY_EXISTS",
    remedy: "Remove the interface from the pod's namespace or choose another ifname",
  },
  IN_USE: {
    cni: 106,
    grpc: "FAILED_PRECONDITION",
    remedy: "Delete the pod first: its network namespace is alive",
  },
  INVALID_SERVICES: {
    cni: 107,
    grpc: "INVALID_ARGUMENT",
    remedy: "Correct the field named in the request",
  },
  INVALID_HOST_CONFIG: {
    cni: 108,
    grpc: "INVALID_ARGUMENT",
    remedy: "Correct the field named in the host's configuration file, see docs/config.md",
  },
  LIMIT_REACHED: {
    cni: 109,
    grpc: "RESOURCE_EXHAUSTED",
    remedy: "Remove what is not needed any more, see docs/limits.md",
  },
  ANOTHER_HOST: {
    cni: 110,
    grpc: "FAILED_PRECONDITION",
    remedy: "Stop the other plugin host first: one serves a node",
  },
  INVALID_SELECTION: {
    cni: 111,
    grpc: "INVALID_ARGUMENT",
    remedy: "Name one pod and one network or interface, see `patchbay attachments`",
  },
  INVALID_KUBECONFIG: {
    cni: 112,
    grpc: "INVALID_ARGUMENT",
    remedy: "Correct what is named, or give --kubeconfig and --api-server, see docs/kubernetes.md",
  },
} as const satisfies Record<string, ErrorEntry>;

interface ErrorEntry {
  readonly cni: number;
  readonly grpc: string;
  readonly remedy: string;
}

export type ErrorCode = keyof typeof ERRORS;

/** A foreseen failure. The message names operation and subject; the cause says why. */
export class PatchbayError extends Error {
  override readonly name = "PatchbayError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Message and causes in one line: "Cannot attach eth0: Cannot add-link …: EEXIST". */
export function formatErrorChain(error: unknown): string {
  const parts: string[] = [];
  for (let link: unknown = error; link !== undefined && parts.length < 8; ) {
    if (!(link instanceof Error)) {
      parts.push(typeof link === "string" ? link : (JSON.stringify(link) ?? typeof link));
      break;
    }
    parts.push(link.message);
    link = link.cause;
  }
  return parts.join(": ");
}

/** Anything thrown as a PatchbayError; what was not foreseen is INTERNAL. */
export function toPatchbayError(error: unknown): PatchbayError {
  if (error instanceof PatchbayError) return error;
  return new PatchbayError("INTERNAL", "Unexpected failure in the host", { cause: error });
}

/** Crashes on a bug: what must hold does not. */
export function invariant(condition: boolean, why: string): asserts condition {
  if (!condition) throw new Error(`Invariant broken: ${why}`);
}
