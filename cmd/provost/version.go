package main

import (
	"runtime"
	"runtime/debug"
)

// version is set by the linker in a release.
var version = ""

// build is what `provost version` prints.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func thisBuild() build {
	b := build{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if b.Version == "" {
		b.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			b.Revision = s.Value
		}
	}
	return b
}

type versionCmd struct{}

func (versionCmd) Run(t *terminal) error {
	b := thisBuild()
	return t.show(b, field{"provost", b.Version}, field{"revision", b.Revision}, field{"go", b.Go}, field{"platform", b.Platform})
}
