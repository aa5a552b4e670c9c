// SPDX-License-Identifier: AGPL-3.0-or-later

package peertube

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// An answer is read up to the limit and no further, whatever it claims to be.
func TestTooLargeAnswers(t *testing.T) {
	const limit = 64 << 10
	endless := func(w io.Writer) {
		for block := []byte(strings.Repeat(" ", 8<<10)); ; {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	}
	for name, h := range map[string]http.HandlerFunc{
		"endless": func(w http.ResponseWriter, _ *http.Request) { endless(w) },
		"10 GB": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", strconv.FormatInt(10<<30, 10))
			endless(w)
		},
		"endless error": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotFound)
			endless(w)
		},
		"gzip bomb": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			endless(z)
		},
	} {
		t.Run(name, func(t *testing.T) {
			ended := make(chan struct{})
			c, instance := start(t, Options{MaxBytes: limit}, func(w http.ResponseWriter, r *http.Request) {
				defer close(ended)
				h(w, r)
			})
			_, err := c.Videos(t.Context(), instance, ListOptions{})
			wantCode(t, err, CodeTooLarge, "larger than 65536 bytes")
			<-ended // the connection is given up, not drained
		})
	}
}

func TestLimitIsExact(t *testing.T) {
	c, instance := start(t, Options{}, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, strings.Repeat("x", 1000)) })
	if b, err := c.Get(t.Context(), instance, "/a.jpg", 1000); err != nil || len(b) != 1000 {
		t.Errorf("1000 of 1000 bytes: %d, %v", len(b), err)
	}
	_, err := c.Get(t.Context(), instance, "/a.jpg", 999)
	wantCode(t, err, CodeTooLarge, "larger than 999 bytes")
}

func TestSlowAnswers(t *testing.T) {
	for name, h := range map[string]func(http.ResponseWriter, *http.Request){
		"no header": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"no body": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
		"dripping body": func(w http.ResponseWriter, r *http.Request) {
			tick := time.NewTicker(5 * time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case <-r.Context().Done():
					return
				case <-tick.C:
					io.WriteString(w, " ")
					w.(http.Flusher).Flush()
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, instance := start(t, Options{Timeout: 100 * time.Millisecond}, h)
			_, err := c.Config(t.Context(), instance)
			wantCode(t, err, CodeTimeout, "did not answer in time")
		})
	}
}

func TestStoppedCall(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c, instance := start(t, Options{}, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	_, err := c.Config(ctx, instance)
	wantCode(t, err, CodeCanceled, "stopped")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v does not wrap context.Canceled", err)
	}
}

// While as many calls as are allowed wait for their answers, another one does not
// reach the instance.
func TestConcurrencyIsBounded(t *testing.T) {
	const most = 3
	body := readCapture(t, "config.json").Body
	asked, release := make(chan struct{}, most+1), make(chan struct{})
	c, instance := start(t, Options{MaxConcurrent: most}, func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		<-release
		w.Write(body)
	})
	var wg sync.WaitGroup
	for range most {
		wg.Go(func() {
			if _, err := c.Config(t.Context(), instance); err != nil {
				t.Error(err)
			}
		})
	}
	for range most {
		<-asked
	}
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := c.Config(short, instance)
	wantCode(t, err, CodeTimeout, "did not answer in time")
	if len(asked) != 0 {
		t.Errorf("%d calls at one time, %d are allowed", most+len(asked), most)
	}
	close(release)
	wg.Wait()
	if _, err := c.Config(t.Context(), instance); err != nil {
		t.Errorf("a call after the others: %v", err)
	}
}
