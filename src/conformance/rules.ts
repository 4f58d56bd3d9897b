import type { Rule, RuleGroup } from "./rule.ts";
import { attachRules } from "./rules/attach.ts";
import { checkRules } from "./rules/check.ts";
import { detachRules } from "./rules/detach.ts";
import { identityRules } from "./rules/identity.ts";
import { listRules } from "./rules/list.ts";
import { parallelRules } from "./rules/parallel.ts";
import { refuseRules } from "./rules/refuse.ts";
import { repairRules } from "./rules/repair.ts";
import { repeatRules } from "./rules/repeat.ts";
import { restartRules } from "./rules/restart.ts";

/** Every rule, in the order in which they run: a rule comes after those that it names in `after`. */
export const RULE_GROUPS: readonly RuleGroup[] = [
  identityRules,
  attachRules,
  repeatRules,
  detachRules,
  listRules,
  refuseRules,
  checkRules,
  repairRules,
  parallelRules,
  restartRules,
];

export const RULES: readonly Rule[] = RULE_GROUPS.flatMap(({ rules }) => rules);
