//go:build tools

// Package main names the tools that are built beside this program, so that go.mod pins them.
package main

import (
	_ "filippo.io/torchwood/cmd/litewitness"
	_ "github.com/transparency-dev/tessera/cmd/fsck"
)
