module patchbay.dev/test/kubernetes/probe

go 1.26
