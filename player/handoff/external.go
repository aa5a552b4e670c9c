// SPDX-License-Identifier: AGPL-3.0-or-later

package handoff

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// startTime is how long a program is watched for an early failure.
const startTime = 700 * time.Millisecond

// ErrNoProgram says that no program was found that could play a URL.
var ErrNoProgram = errors.New("no program was found that plays videos: install mpv or VLC, or copy the address into a browser")

// candidate is a program and its arguments before the URL.
type candidate struct {
	name string
	path string // where it is if PATH does not have it
	args []string
}

// candidates lists players first and what the desktop opens links with last.
func candidates(goos string) []candidate {
	mpv := candidate{name: "mpv", args: []string{"--force-window=yes", "--"}}
	switch goos {
	case "windows":
		return []candidate{
			mpv,
			{name: "vlc", path: `C:\Program Files\VideoLAN\VLC\vlc.exe`},
			{name: "rundll32", args: []string{"url.dll,FileProtocolHandler"}}, // what start does, without a shell
		}
	case "darwin":
		return []candidate{
			mpv,
			{name: "vlc", path: "/Applications/VLC.app/Contents/MacOS/VLC"},
			{name: "open", args: []string{"--"}},
		}
	default:
		return []candidate{mpv, {name: "vlc", args: []string{"--"}}, {name: "celluloid"}, {name: "xdg-open"}}
	}
}

// OpenExternal starts a program that can play url (mpv, VLC, or what the desktop opens links with) and returns
// its name. The program outlives the call; ctx bounds the start alone. Without any, the error is ErrNoProgram.
func OpenExternal(ctx context.Context, address string) (program string, err error) {
	return openWith(ctx, address, candidates(runtime.GOOS), exec.LookPath)
}

// OpenBrowser opens url with what the desktop opens links with.
func OpenBrowser(ctx context.Context, address string) error {
	all := candidates(runtime.GOOS)
	_, err := openWith(ctx, address, all[len(all)-1:], exec.LookPath)
	return err
}

func openWith(ctx context.Context, address string, list []candidate, look func(string) (string, error)) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", errors.New("starting a player: not a web address")
	}
	var errs []error
	for _, c := range list {
		if err := ctx.Err(); err != nil {
			return "", fmt.Errorf("starting a player: %w", err)
		}
		file, err := look(c.name)
		if err != nil && c.path != "" {
			file, err = look(c.path)
		}
		if err != nil {
			continue
		}
		if err := start(ctx, file, append(append([]string(nil), c.args...), u.String())); err != nil {
			errs = append(errs, fmt.Errorf("starting %s: %w", c.name, err))
			continue
		}
		return strings.TrimSuffix(filepath.Base(file), ".exe"), nil
	}
	if len(errs) > 0 {
		return "", errors.Join(append([]error{ErrNoProgram}, errs...)...)
	}
	return "", ErrNoProgram
}

// start runs a program and returns its failure if that comes early.
func start(ctx context.Context, file string, args []string) error {
	cmd := exec.CommandContext(context.WithoutCancel(ctx), file, args...) // it outlives ctx
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	select {
	case err := <-exited:
		return err
	case <-time.After(startTime):
	case <-ctx.Done():
	}
	return nil
}
