// SPDX-License-Identifier: AGPL-3.0-or-later

package peertube

import (
	"context"
	"encoding/hex"
	"errors"
	"net/url"
	"strings"

	"github.com/anacrolix/torrent/bencode"
)

// maxScrape bounds the infohashes of one question to a tracker: with 50 its address stays under 4 KiB.
const maxScrape = 50

// errNoScrape says that a tracker's address has no other one for scraping.
var errNoScrape = errors.New("this tracker cannot be asked for the seeders of a swarm")

// Seeders asks an instance's HTTP tracker how many seeders swarms have (BEP 48). announce is its
// announce address, as VideoDetails.TrackerURLs names it; infohashes are 40 hexadecimal digits each,
// and what is no infohash is left out. A swarm that the tracker does not know is missing in the answer.
func (c *Client) Seeders(ctx context.Context, instance, announce string, infohashes []string) (map[string]int, error) {
	base, err := scrapeURL(announce)
	if err != nil {
		return nil, err
	}
	found := make(map[string]int, len(infohashes))
	for len(infohashes) > 0 {
		n := min(len(infohashes), maxScrape)
		query := scrapeQuery(infohashes[:n])
		infohashes = infohashes[n:]
		if query == "" {
			continue
		}
		body, err := c.do(ctx, call{
			what: "its tracker", instance: instance, path: base + query, accept: "*/*", maxBytes: c.opts.MaxBytes,
		})
		if err != nil {
			return found, err
		}
		counts, err := parseScrape(body)
		if err != nil {
			return found, err
		}
		for infohash, n := range counts {
			found[infohash] = n
		}
	}
	return found, nil
}

// scrapeURL returns the address that the announce address stands for, up to its "?".
func scrapeURL(announce string) (string, error) {
	u, err := url.Parse(announce)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" {
		return "", errNoScrape
	}
	dir, last, ok := cutLast(u.Path, "/")
	if !ok || !strings.HasPrefix(last, "announce") {
		return "", errNoScrape // BEP 48: no other last part can be turned into a scrape address
	}
	u.Path, u.RawPath = dir+"/scrape"+strings.TrimPrefix(last, "announce"), ""
	return u.String() + "?", nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func scrapeQuery(infohashes []string) string {
	var parts []string
	for _, h := range infohashes {
		if raw, err := hex.DecodeString(h); err == nil && len(raw) == 20 {
			parts = append(parts, "info_hash="+url.QueryEscape(string(raw)))
		}
	}
	return strings.Join(parts, "&")
}

// parseScrape reads a tracker's answer: seeders by infohash, both in their bounds.
func parseScrape(body []byte) (map[string]int, error) {
	var answer struct {
		Failure string `bencode:"failure reason"`
		Files   map[string]struct {
			Complete int64 `bencode:"complete"`
		} `bencode:"files"`
	}
	if err := bencode.Unmarshal(body, &answer); err != nil {
		return nil, &Error{Code: CodeNotPeerTube, Text: "The tracker's answer cannot be read.", Err: err}
	}
	if answer.Failure != "" {
		return nil, &Error{Code: CodeNotPeerTube, Text: "The tracker refuses to say how many seeders there are.", Err: errors.New(answer.Failure)}
	}
	counts := make(map[string]int, len(answer.Files))
	for raw, f := range answer.Files {
		if len(raw) == 20 {
			counts[hex.EncodeToString([]byte(raw))] = int(min(max(f.Complete, 0), 1<<30))
		}
	}
	return counts, nil
}
