// Draws docs/map.svg, the picture of the README, from the small node of src/cli/fake-node.ts. A test holds it equal.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fakeSmallNode } from "../src/cli/fake-node.ts";
import { drawNode } from "../src/cli/map.ts";

const file = join(import.meta.dirname, "../docs/map.svg");
writeFileSync(file, drawNode(fakeSmallNode()));
console.log(`Drew ${file}`);
