// SPDX-License-Identifier: AGPL-3.0-or-later

package webseed

import (
	"context"
	"io"
	"net/http"
	"time"
)

// slowest is the slowest reader that is served, in bytes per second; grace comes on top.
const (
	slowest = 16 << 10
	grace   = time.Minute
)

// writer sends a file a piece at a time, each when the party's share allows it and with a deadline of
// its own: a reader that stalls must not hold its connection for ever. A piece is a LimitedReader over
// the file, as http.ServeContent makes it, so that the connection sends it by sendfile(2).
type writer struct {
	http.ResponseWriter
	control *http.ResponseController
	ctx     context.Context // io.ReaderFrom has none
	shares  *shares
	account *account
	grace   time.Duration
	intact  func() error // fails when the file has changed
}

// ReadFrom implements io.ReaderFrom.
func (w *writer) ReadFrom(src io.Reader) (sum int64, err error) {
	lr, ok := src.(*io.LimitedReader)
	if !ok {
		return io.Copy(struct{ io.Writer }{w}, src)
	}
	for lr.N > 0 {
		n, err := w.shares.take(w.ctx, w.account, lr.N)
		if err != nil {
			return sum, err
		}
		if err := w.intact(); err != nil {
			return sum, err
		}
		// A server that cannot set it has its own.
		_ = w.control.SetWriteDeadline(time.Now().Add(w.grace + time.Duration(n/slowest)*time.Second))
		sent, err := io.Copy(w.ResponseWriter, &io.LimitedReader{R: lr.R, N: n})
		lr.N -= sent
		sum += sent
		if err != nil {
			return sum, err
		}
		if sent < n {
			return sum, io.ErrUnexpectedEOF
		}
	}
	return sum, nil
}

// Unwrap is for http.ResponseController.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }
