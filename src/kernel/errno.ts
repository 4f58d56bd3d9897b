import { constants } from "node:os";

/** asm-generic/errno.h by name, as Node knows it. */
export const errno: Readonly<typeof constants.errno> = constants.errno;

const codeOf = new Map<number, string>();
for (const [code, value] of Object.entries(constants.errno)) {
  if (!codeOf.has(value)) codeOf.set(value, code);
}
// Two names of one number: rtnetlink's answers are known by this one.
codeOf.set(constants.errno.EOPNOTSUPP, "EOPNOTSUPP");
// Names that Node leaves out and setns, IPv6 or bridge code answers.
codeOf
  .set(54, "EXFULL")
  .set(87, "EUSERS")
  .set(96, "EPFNOSUPPORT")
  .set(117, "EUCLEAN")
  .set(524, "ENOTSUPP");

/** "EEXIST" for 17; "E512" for a number without a name here. */
export function errnoCode(value: number): string {
  return codeOf.get(value) ?? `E${value}`;
}
