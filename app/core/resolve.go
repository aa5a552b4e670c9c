// SPDX-License-Identifier: AGPL-3.0-or-later

package core

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"shoal/peer"
	"shoal/peer/peertube"
)

// maxTorrent bounds a .torrent file, in bytes.
const maxTorrent = 16 << 20

// Kind says what an address is.
type Kind string

// The kinds of addresses.
const (
	KindInstance Kind = "instance" // an instance's front page
	KindVideo    Kind = "video"    // a video's page on an instance
	KindChannel  Kind = "channel"  // a channel on an instance
	KindAccount  Kind = "account"  // an account on an instance
	KindSwarm    Kind = "swarm"    // a magnet, an infohash or a .torrent file
	KindFile     Kind = "file"     // a media file on this machine
)

// Resolved is what an address leads to.
type Resolved struct {
	Kind     Kind
	Location peertube.Location      // for instance, video, channel and account
	Video    *peertube.VideoDetails // for video
	Target   peer.Target            // for swarm
	Path     string                 // for file: absolute
}

// Resolve finds out what an address is: an instance's or a watch page's URL, a magnet, an
// infohash, a .torrent file or a media file. It asks the instance where there is one.
func (a *App) Resolve(ctx context.Context, arg string) (Resolved, error) {
	r, err := a.resolve(ctx, strings.TrimSpace(arg))
	if err == nil && r.Kind == KindSwarm {
		a.named.addTarget(r.Target)
	}
	return r, err
}

func (a *App) resolve(ctx context.Context, arg string) (Resolved, error) {
	if arg == "" {
		return Resolved{}, fail(CodeBadInput, nil, "the address is empty: give an instance, a watch page, a magnet link or a file")
	}
	if looksLikeSwarm(arg) {
		target, err := peer.ParseTarget(arg)
		if err != nil {
			return Resolved{}, asInput(err)
		}
		return Resolved{Kind: KindSwarm, Target: target}, nil
	}
	if path, ok := LocalPath(arg, ""); ok {
		return resolveFile(path)
	}
	if isTorrentURL(arg) {
		return a.resolveTorrentURL(ctx, arg)
	}
	location, err := peertube.ParseURL(arg)
	if err != nil {
		return Resolved{}, err
	}
	return a.resolveLocation(ctx, location)
}

func (a *App) resolveLocation(ctx context.Context, l peertube.Location) (Resolved, error) {
	r := Resolved{Location: l}
	a.named.add(l.Instance)
	switch {
	case l.VideoID != "":
		r.Kind = KindVideo
		video, err := a.peertube.Video(ctx, l.Instance, l.VideoID)
		if err != nil {
			return Resolved{}, err
		}
		r.Video = &video
	case l.Channel != "":
		r.Kind = KindChannel
		if _, err := a.peertube.Channel(ctx, l.Instance, l.Channel); err != nil {
			return Resolved{}, err
		}
	case l.Account != "":
		r.Kind = KindAccount
		if _, err := a.peertube.Account(ctx, l.Instance, l.Account); err != nil {
			return Resolved{}, err
		}
	default:
		r.Kind = KindInstance
		if _, err := a.peertube.Config(ctx, l.Instance); err != nil {
			return Resolved{}, err
		}
	}
	return r, nil
}

// hashPattern is an infohash in hex or base32 (BEP 9).
var hashPattern = regexp.MustCompile(`^([0-9a-fA-F]{40}|[a-zA-Z2-7]{32})$`)

func looksLikeSwarm(arg string) bool {
	return strings.HasPrefix(strings.ToLower(arg), "magnet:") || hashPattern.MatchString(arg)
}

// LocalPath returns the absolute path of an argument that names a file on this machine; relative
// ones are meant in dir, or in the working folder where dir is empty.
func LocalPath(arg, dir string) (string, bool) {
	if looksLikeSwarm(arg) {
		return "", false
	}
	if rest, ok := strings.CutPrefix(arg, "file://"); ok {
		u, err := url.Parse(arg)
		if err != nil {
			return rest, true
		}
		if runtime.GOOS == "windows" {
			return filepath.FromSlash(strings.TrimPrefix(u.Path, "/")), true
		}
		return u.Path, true
	}
	if strings.Contains(arg, "://") {
		return "", false
	}
	path := arg
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", false
	}
	if _, err := os.Stat(path); err == nil {
		return path, true
	}
	// A full path, or a name with a video's ending, is a file that is missing and no instance.
	return path, filepath.IsAbs(arg) || strings.HasPrefix(arg, ".") || isMediaName(arg) || isTorrentName(arg)
}

// IsWord reports whether an argument is a bare word, such as a mistyped command: no address, swarm,
// or file of the folder dir.
func IsWord(arg, dir string) bool {
	if arg == "" || strings.ContainsAny(arg, `./:\@`) || strings.EqualFold(arg, "localhost") || looksLikeSwarm(arg) {
		return false
	}
	_, file := LocalPath(arg, dir)
	return !file
}

func isTorrentName(name string) bool { return strings.EqualFold(filepath.Ext(name), ".torrent") }

func isMediaName(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".ogv", ".ogg", ".mpg", ".mpeg", ".ts", ".flv", ".wmv",
		".mp3", ".m4a", ".flac", ".opus", ".wav", ".aac":
		return true
	}
	return false
}

func resolveFile(path string) (Resolved, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Resolved{}, fail(CodeNotFound, err, "there is no file %s: check the name", path)
	case err != nil:
		return Resolved{}, fail(CodeBadInput, err, "the file %s cannot be read: %v", path, errors.Unwrap(err))
	case !info.Mode().IsRegular():
		return Resolved{}, fail(CodeBadInput, nil, "%s is no file: name a video or a .torrent file", path)
	case info.Size() == 0:
		return Resolved{}, fail(CodeNotMedia, nil, "the file %s is empty: name a video or a .torrent file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return Resolved{}, fail(CodeBadInput, err, "the file %s cannot be read: give yourself the right to read it", path)
	}
	defer func() { _ = f.Close() }() // nothing was written
	if isTorrentName(path) {
		data, err := io.ReadAll(io.LimitReader(f, maxTorrent+1))
		if err != nil {
			return Resolved{}, fail(CodeBadInput, err, "the file %s cannot be read: %v", path, err)
		}
		return resolveTorrent(data, path)
	}
	head := make([]byte, 512)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return Resolved{}, fail(CodeBadInput, err, "the file %s cannot be read: %v", path, err)
	}
	if notMedia(http.DetectContentType(head[:n])) {
		return Resolved{}, fail(CodeNotMedia, nil, "the file %s is no video: name a video or a .torrent file", path)
	}
	return Resolved{Kind: KindFile, Path: path}, nil
}

// notMedia reports whether a sniffed content type cannot be a video's. What the sniffing does not
// know is left to the player.
func notMedia(contentType string) bool {
	for _, prefix := range []string{"text/", "image/", "font/", "application/pdf", "application/zip", "application/x-gzip", "application/x-rar"} {
		if strings.HasPrefix(contentType, prefix) {
			return true
		}
	}
	return false
}

func resolveTorrent(data []byte, name string) (Resolved, error) {
	if len(data) > maxTorrent {
		return Resolved{}, fail(CodeBadInput, nil, "%s is too large for a .torrent file: it holds more than 16 MiB", name)
	}
	target, err := peer.ParseTorrent(data)
	if err != nil {
		return Resolved{}, fail(CodeBadInput, err, "%s is no .torrent file: %v", name, err)
	}
	return Resolved{Kind: KindSwarm, Target: target}, nil
}

func isTorrentURL(arg string) bool {
	u, err := url.Parse(arg)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && isTorrentName(u.Path)
}

func (a *App) resolveTorrentURL(ctx context.Context, arg string) (Resolved, error) {
	u, err := url.Parse(arg)
	if err != nil {
		return Resolved{}, asInput(err)
	}
	data, err := a.peertube.Get(ctx, u.Scheme+"://"+u.Host, arg, maxTorrent)
	if err != nil {
		return Resolved{}, err
	}
	return resolveTorrent(data, arg)
}

// asInput makes an error of a parser one about the input.
func asInput(err error) error {
	return fail(CodeBadInput, err, "%s", strings.TrimSpace(fmt.Sprint(err)))
}
