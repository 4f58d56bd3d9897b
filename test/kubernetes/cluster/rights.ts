/** What the host is allowed, and by which token: arguments of kubectl, with files as they lie in the repository. */

/** The host's ServiceAccount, its role and what binds them. */
export const APPLY_RIGHTS = ["apply", "-f", "deploy/kubernetes/rbac.yaml"] as const;

/** Networks beside the default one, at any time. */
export const APPLY_KINDS = ["apply", "-f", "deploy/kubernetes/crds.yaml"] as const;

export const CREATE_TOKEN = [
  ...["create", "token", "patchbay"],
  ...["--namespace", "kube-system"],
  ...["--duration", "8760h"],
] as const;
