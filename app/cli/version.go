// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"context"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"shoal/player/mpv"
)

// version and commit are set by the linker when a release is built.
//
//nolint:gochecknoglobals // the linker needs them
var (
	version = "dev"
	commit  = ""
)

// versionCommand shows versions.
type versionCommand struct{}

// versions is the event; what is not installed is "".
type versions struct {
	Event   string `json:"event"`
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
	LibMPV  string `json:"libmpv"`
	FFmpeg  string `json:"ffmpeg"`
}

func (*versionCommand) run(ctx context.Context, r *run) error {
	v := versions{Event: "version", Version: version, Commit: buildCommit(), Go: runtime.Version(), FFmpeg: ffmpegVersion(ctx)}
	if text, err := mpv.Version(); err == nil {
		v.LibMPV = text
	}
	r.out.event(v)
	r.out.fact("Shoal %s\ncommit  %s\nGo      %s\nlibmpv  %s\nffmpeg  %s",
		v.Version, orMissing(v.Commit, "unknown"), v.Go,
		orMissing(v.LibMPV, "not installed: no picture in the window"), orMissing(v.FFmpeg, "not installed: no publishing"))
	return r.out.err
}

func orMissing(text, missing string) string {
	if text == "" {
		return missing
	}
	return text
}

// buildCommit is the linker's commit, or the one the Go tool recorded.
func buildCommit() string {
	if commit != "" {
		return commit
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	revision, dirty := "", ""
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			revision = s.Value
		case "vcs.modified":
			if s.Value == "true" {
				dirty = "-dirty"
			}
		}
	}
	if revision == "" {
		return ""
	}
	return revision[:min(12, len(revision))] + dirty
}

// ffmpegVersion asks the ffmpeg in PATH, "" where there is none.
func ffmpegVersion(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "ffmpeg", "-hide_banner", "-version").Output()
	if err != nil {
		return ""
	}
	// ffmpeg version 5.1.6-0+deb12u1 Copyright (c) ...
	fields := strings.Fields(string(out))
	if len(fields) > 2 && fields[1] == "version" {
		return fields[2]
	}
	return ""
}
