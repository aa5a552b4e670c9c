// SPDX-License-Identifier: AGPL-3.0-or-later

// Package handoff lets another program play a stream when libmpv is missing: it serves one file over
// HTTP on the loopback interface and starts a player for it. Only app imports it.
package handoff

import (
	"context"

	"shoal/player"
)

// Server serves one file on the loopback interface.
type Server struct{}

// Serve offers the file that open opens under a URL nobody can guess, until Close. name is
// the file's name; its ending decides the content type.
func Serve(name string, open player.Opener) (*Server, error) { return &Server{}, nil }

// URL of the file.
func (s *Server) URL() string { return "" }

// Close ends every transfer.
func (s *Server) Close() error { return nil }

// OpenExternal starts a program that can play url (mpv, VLC, or what the desktop opens links with) and returns
// its name. The program outlives ctx, which bounds the start alone.
func OpenExternal(ctx context.Context, url string) (program string, err error) { return "", nil }
