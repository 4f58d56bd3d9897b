import { FakeKernel } from "./fake-kernel.ts";
import type { NetnsPath } from "./kernel.ts";
import { kernelSuite } from "./kernel-suite.ts";

let paths = 0;

kernelSuite("FakeKernel", {
  setup: async () => ({
    kernel: new FakeKernel(),
    freshPath: () => `/run/netns/fake${paths++}` as NetnsPath,
  }),
  teardown: ({ kernel }) => kernel.close(),
});
