// SPDX-License-Identifier: AGPL-3.0-or-later

package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"shoal/app/config"
	"shoal/app/core"
	"shoal/instance"
)

// maxBlockList bounds a block list, in bytes.
const maxBlockList = 33 << 20

// blockCommand blocks a host in full.
type blockCommand struct {
	Target string   `arg:"" name:"host|handle" help:"The host, such as bad.example, or somebody there: the whole host is blocked."`
	Reason string   `placeholder:"TEXT" help:"Why, for the list."`
	Wait   duration `default:"30s" placeholder:"DURATION" help:"Without a running instance: how long to try to tell the other side. Default: 30s."`
}

func (*blockCommand) forward(*run) bool { return true }

func (c *blockCommand) run(ctx context.Context, r *run) error {
	return r.act(ctx, "block", c.Target, "blocked", c.Wait, func(ctx context.Context, i *instance.Instance) error {
		return r.blocking(i, func() error {
			return r.onHost(c.Target, func(host string) error { return i.Block(ctx, host, c.Reason) })
		})
	})
}

// unblockCommand lets a host in again.
type unblockCommand struct {
	Target string   `arg:"" name:"host|handle" help:"The host, as in shoal blocks."`
	Wait   duration `default:"30s" placeholder:"DURATION" help:"Without a running instance: how long to try to tell the other side. Default: 30s."`
}

func (*unblockCommand) forward(*run) bool { return true }

func (c *unblockCommand) run(ctx context.Context, r *run) error {
	return r.act(ctx, "unblock", c.Target, "unblocked", c.Wait, func(ctx context.Context, i *instance.Instance) error {
		return r.onHost(c.Target, func(host string) error { return i.Unblock(ctx, host) })
	})
}

// onHost acts on the host of a handle: hosts are what is blocked. It says so where that was more than was
// named.
func (r *run) onHost(target string, act func(host string) error) error {
	host := target[strings.LastIndexByte(target, '@')+1:]
	if err := act(host); err != nil {
		return err
	}
	if host != target {
		r.out.note("shoal: this is about the whole host %s", host)
	}
	return nil
}

// blocking blocks hosts, and says what that took away.
func (r *run) blocking(i *instance.Instance, block func() error) error {
	count := func() (following, followers int) {
		a, _ := i.Following() // what cannot be read is not counted
		b, _ := i.Followers()
		return len(a), len(b)
	}
	following, followers := count()
	if err := block(); err != nil {
		return err
	}
	nowFollowing, nowFollowers := count()
	r.out.note("shoal: what came from there is removed, and unblocking does not bring it back (follows that ended: %d to there, %d from there)",
		max(following-nowFollowing, 0), max(followers-nowFollowers, 0))
	return nil
}

// blocksCommand lists the blocked hosts, and reads and writes block lists.
type blocksCommand struct {
	Import      string `xor:"what" placeholder:"FILE" help:"Block each host of a list: one host a line, or Mastodon's CSV."`
	Export      string `xor:"what" placeholder:"FILE|-" help:"Write the blocked hosts to a file, or to stdout."`
	Format      string `enum:"hosts,mastodon" default:"hosts" help:"With --export: hosts (one a line) or mastodon (CSV)."`
	Subscribe   string `xor:"what" placeholder:"URL" help:"Read a shared block list now and once a day from then on."`
	Unsubscribe string `xor:"what" placeholder:"URL" help:"Forget a shared block list; what it alone blocked is let in again."`
}

func (*blocksCommand) forward(*run) bool { return true }

// imported is the event of a block list that was read.
type imported struct {
	Event   string `json:"event"`
	Source  string `json:"source"`  // the file or URL
	Blocked int    `json:"blocked"` // hosts that were not before
	Known   int    `json:"known"`   // hosts that were
	Skipped int    `json:"skipped"` // lines that name no host to block
}

// exported is the event of a block list that was written.
type exported struct {
	Event string `json:"event"`
	File  string `json:"file"`
}

// blocked is the event of a blocked host.
type blocked struct {
	Event  string `json:"event"`
	Host   string `json:"host"`
	Reason string `json:"reason"`
	List   string `json:"list"` // the shared list that names it, "" where a person did
	Since  stamp  `json:"since"`
}

// blockList is the event of a shared block list.
type blockList struct {
	Event   string `json:"event"`
	URL     string `json:"url"`
	Hosts   int    `json:"hosts"`
	Checked stamp  `json:"checked"`
	Problem string `json:"problem"`
}

func (c *blocksCommand) run(ctx context.Context, r *run) error {
	if c.Export == "-" && r.out.json {
		return &usageError{"--export - writes the list to stdout, where --json writes events: choose one"}
	}
	return r.atRest(ctx, func(ctx context.Context, i *instance.Instance) error {
		switch {
		case c.Import != "":
			return c.read(ctx, r, i)
		case c.Export == "-":
			return i.ExportBlocks(r.out.stdout, c.form())
		case c.Export != "":
			return c.write(r, i)
		case c.Subscribe != "":
			r.out.progress("reading %s", c.Subscribe)
			return r.blocking(i, func() error {
				n, err := i.SubscribeBlocks(ctx, c.Subscribe)
				if err != nil {
					return err
				}
				r.imported(c.Subscribe, n)
				return nil
			})
		case c.Unsubscribe != "":
			if err := i.UnsubscribeBlocks(ctx, c.Unsubscribe); err != nil {
				return err
			}
			r.out.event(action{Event: "unsubscribe", Target: c.Unsubscribe, State: "removed"})
			r.out.fact("%s is not read any more.", c.Unsubscribe)
			return nil
		}
		return listBlocks(r, i)
	})
}

// form is the format's name for the instance.
func (c *blocksCommand) form() string {
	if c.Format == "mastodon" {
		return instance.BlocksCSV
	}
	return instance.BlocksText
}

// within makes a file of the command line absolute.
func (r *run) within(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(r.env.Cwd, path)
}

func (c *blocksCommand) read(ctx context.Context, r *run, i *instance.Instance) error {
	path := r.within(c.Import)
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &core.Error{Code: core.CodeNotFound, Message: fmt.Sprintf("there is no file %s: check the name", path), Err: err}
	case err != nil:
		return &core.Error{Code: core.CodeBadInput, Message: fmt.Sprintf("the file %s cannot be read: give yourself the right to read it", path), Err: err}
	}
	defer func() { _ = f.Close() }() // nothing was written
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return &core.Error{Code: core.CodeBadInput, Message: path + " is a folder: name the file with the list"}
	}
	r.out.progress("reading %s", path)
	return r.blocking(i, func() error {
		n, err := i.ImportBlocks(ctx, io.LimitReader(f, maxBlockList))
		if err != nil {
			return err
		}
		r.imported(path, n)
		return nil
	})
}

func (r *run) imported(source string, n instance.BlockImport) {
	r.out.event(imported{Event: "imported", Source: source, Blocked: n.Blocked, Known: n.Known, Skipped: n.Skipped})
	r.out.fact("Newly blocked: %d. Blocked before: %d. Lines skipped: %d.", n.Blocked, n.Known, n.Skipped)
}

// write replaces the file at once or leaves it alone.
func (c *blocksCommand) write(r *run, i *instance.Instance) error {
	path := r.within(c.Export)
	var list bytes.Buffer
	if err := i.ExportBlocks(&list, c.form()); err != nil {
		return err
	}
	if err := config.WriteFile(path, list.Bytes(), 0o644); err != nil {
		return &core.Error{Code: core.CodeBadInput, Message: fmt.Sprintf("the file %s cannot be written: name one in a folder that exists and that you may write to", path), Err: err}
	}
	r.out.event(exported{Event: "exported", File: path})
	r.out.fact("Wrote %s.", path)
	return nil
}

func listBlocks(r *run, i *instance.Instance) error {
	hosts, err := i.Blocks()
	if err != nil {
		return err
	}
	lists, err := i.BlockSubscriptions()
	if err != nil {
		return err
	}
	if len(hosts) == 0 {
		r.out.fact("No host is blocked.")
	}
	for _, b := range hosts {
		r.out.event(blocked{Event: "blocked", Host: b.Host, Reason: b.Reason, List: b.List, Since: stamp(b.Since)})
		r.out.fact("%s  %s", because(b.Host, b.Reason), day(b.Since))
	}
	for _, l := range lists {
		r.out.event(blockList{Event: "blockList", URL: l.URL, Hosts: l.Hosts, Checked: stamp(l.Checked), Problem: l.Error})
		r.out.fact("list %s: %d hosts, read %s", because(l.URL, l.Error), l.Hosts, day(l.Checked))
	}
	return nil
}
