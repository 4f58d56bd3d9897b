//go:build tools

// Package tools names the commands that the Kubernetes lane builds.
package tools

import (
	_ "go.etcd.io/etcd/server/v3"
)
