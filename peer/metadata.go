// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"
)

// Bounds on fetching a .torrent file from a magnet link's xs.
const (
	sourceTimeout   = 20 * time.Second
	sourceRedirects = 3
	minSourceRetry  = 2 * time.Second
	maxSourceRetry  = time.Minute
)

// fetchMetadata asks the exact sources, in turn, for the .torrent file until somebody has brought
// the metadata: one of them, or a peer (ut_metadata, BEP 9).
func (s *Swarm) fetchMetadata(ctx context.Context, sources []string) {
	retry := minSourceRetry
	for {
		for _, source := range sources {
			target, err := fetchTorrent(ctx, s.engine.http, source)
			if err == nil && target.Infohash != s.infohash {
				err = errors.New("it is another torrent")
			}
			if err == nil {
				err = s.merge(target)
			}
			if err == nil || s.isReady() || ctx.Err() != nil {
				return
			}
			s.engine.logger.Info("fetching the torrent file failed", "source", source, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-s.ready:
			return
		case <-time.After(retry + rand.N(retry)):
		}
		retry = min(2*retry, maxSourceRetry)
	}
}

// fetchTorrent gets one .torrent file.
func fetchTorrent(ctx context.Context, client *http.Client, source string) (Target, error) {
	ctx, cancel := context.WithTimeout(ctx, sourceTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, source, nil)
	if err != nil {
		return Target{}, fmt.Errorf("asking %s: %w", source, err)
	}
	req.Header.Set("User-Agent", userAgent)
	res, err := client.Do(req)
	if err != nil {
		return Target{}, fmt.Errorf("asking %s: %w", source, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return Target{}, fmt.Errorf("%s answered %s", source, res.Status)
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, maxTorrentSize+1))
	if err != nil {
		return Target{}, fmt.Errorf("reading %s: %w", source, err)
	}
	return ParseTorrent(data)
}

// limitRedirects is an http.Client's CheckRedirect.
func limitRedirects(req *http.Request, via []*http.Request) error {
	if len(via) > sourceRedirects {
		return errors.New("redirected too often")
	}
	if !httpSchemes(req.URL.Scheme) {
		return fmt.Errorf("redirected to a %s address", req.URL.Scheme)
	}
	return nil
}
