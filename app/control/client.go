// SPDX-License-Identifier: AGPL-3.0-or-later

package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

const (
	dialWait   = 2 * time.Second
	cancelWait = 10 * time.Second // for the holder to end a cancelled command
)

// ErrNoHolder says that no process answers for the data folder.
var ErrNoHolder = errors.New("no running Shoal holds the data folder")

// Client is a connection to the process that holds a data folder. It carries one request.
type Client struct{ conn net.Conn }

// Dial connects to the holder of a data folder; where there is none the error is ErrNoHolder.
func Dial(ctx context.Context, dataDir string) (*Client, error) {
	socket := find(dataDir)
	if socket == "" {
		return nil, ErrNoHolder
	}
	ctx, cancel := context.WithTimeout(ctx, dialWait)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoHolder, err)
	}
	return &Client{conn: conn}, nil
}

// Close hangs up, which cancels a command in progress.
func (c *Client) Close() error { return c.conn.Close() }

// Run runs a command in the holder and returns its exit code. When ctx ends the command is
// cancelled, and Run waits up to 10 s for its end.
func (c *Client) Run(ctx context.Context, r Request, stdout, stderr io.Writer) (int, error) {
	return c.exchange(ctx, message{Run: &r}, stdout, stderr)
}

// Open shows an address in the holder's window. What goes wrong is written to stderr; the result
// is the exit code.
func (c *Client) Open(ctx context.Context, argument string, stderr io.Writer) (int, error) {
	return c.exchange(ctx, message{Open: &openRequest{Argument: argument}}, io.Discard, stderr)
}

func (c *Client) exchange(ctx context.Context, m message, stdout, stderr io.Writer) (int, error) {
	if err := writeLine(c.conn, m); err != nil {
		return 0, fmt.Errorf("asking the running Shoal: %w", err)
	}
	stop := context.AfterFunc(ctx, func() {
		// The reader below hears of a broken connection.
		_ = c.conn.SetDeadline(time.Now().Add(cancelWait))
		_ = writeLine(c.conn, message{Cancel: true})
	})
	defer stop()
	in := newReader(c.conn)
	for {
		line, err := readLine(in)
		if err != nil {
			return 0, fmt.Errorf("the running Shoal ended before the command was done: %w", err)
		}
		f, err := parseFrame(line)
		if err != nil {
			return 0, fmt.Errorf("understanding the running Shoal: %w", err)
		}
		switch {
		case f.Exit != nil:
			return *f.Exit, nil
		case len(f.Stderr) > 0:
			_, err = stderr.Write(f.Stderr)
		default:
			_, err = stdout.Write(f.Stdout)
		}
		if err != nil {
			return 0, fmt.Errorf("writing output: %w", err)
		}
	}
}
