/** Why tests that change links are not run: only a namespace made for them may be touched. */
export const privateNodeSkip: string | false =
  process.env["PATCHBAY_PRIVATE_NODE"] === "1"
    ? false
    : "NOT IN A PRIVATE NODE: run it by npm test, or set PATCHBAY_PRIVATE_NODE=1 in a throwaway network namespace";
