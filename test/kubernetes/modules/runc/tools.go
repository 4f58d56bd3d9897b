//go:build tools

// Package tools names the commands that the Kubernetes lane builds.
package tools

import (
	_ "github.com/opencontainers/runc"
)
