// SPDX-License-Identifier: AGPL-3.0-or-later

package tracker

import (
	"crypto/sha1" //nolint:gosec // RFC 6455 asks for it
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// upgrade answers a WebSocket handshake (RFC 6455 §4.2) and takes the connection over, with the
// bytes that came after the request. A request that is none it answers itself. Pages of any origin
// may ask, since players are anywhere and nothing here depends on cookies. No extension and no
// subprotocol is agreed on. The client has to take the answer within limit.
func upgrade(w http.ResponseWriter, r *http.Request, limit time.Duration) (net.Conn, []byte, error) {
	key, status, err := handshake(r)
	if err != nil {
		if status == http.StatusUpgradeRequired {
			w.Header().Set("Connection", "Upgrade")
			w.Header().Set("Upgrade", "websocket")
			w.Header().Set("Sec-WebSocket-Version", "13")
		}
		http.Error(w, err.Error(), status)
		return nil, nil, err
	}
	nc, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, http.StatusText(http.StatusNotImplemented), http.StatusNotImplemented)
		return nil, nil, fmt.Errorf("taking over the connection: %w", err)
	}
	early, err := rw.Reader.Peek(rw.Reader.Buffered())
	if err == nil {
		err = nc.SetDeadline(time.Now().Add(limit))
	}
	if err == nil {
		_, err = nc.Write([]byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
			"Sec-WebSocket-Accept: " + acceptKey(key) + "\r\n\r\n"))
	}
	if err == nil {
		err = nc.SetDeadline(time.Time{})
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("answering a handshake: %w", err), nc.Close())
	}
	return nc, append([]byte(nil), early...), nil
}

// handshake checks a request and returns its key, or the status that refuses it.
func handshake(r *http.Request) (key string, status int, err error) {
	key = strings.TrimSpace(r.Header.Get("Sec-WebSocket-Key"))
	nonce, bad := base64.StdEncoding.DecodeString(key)
	switch {
	case r.Method != http.MethodGet:
		return "", http.StatusMethodNotAllowed, errors.New("a WebSocket is asked for with GET")
	case r.ProtoMajor != 1 || r.ProtoMinor < 1 || !hasToken(r.Header, "Connection", "upgrade") || !hasToken(r.Header, "Upgrade", "websocket"):
		return "", http.StatusUpgradeRequired, errors.New("this is a WebSocket tracker: connect to it with ws:// or wss://")
	case r.Header.Get("Sec-WebSocket-Version") != "13":
		return "", http.StatusUpgradeRequired, errors.New("only version 13 of WebSocket is spoken here")
	case bad != nil || len(nonce) != 16:
		return "", http.StatusBadRequest, errors.New("invalid Sec-WebSocket-Key")
	}
	return key, 0, nil
}

// hasToken reports whether a header lists a token (RFC 9110 §5.6.1).
func hasToken(h http.Header, name, token string) bool {
	for _, v := range h.Values(name) {
		for t := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(t), token) {
				return true
			}
		}
	}
	return false
}

// acceptKey is the answer to a key (RFC 6455 §4.2.2).
func acceptKey(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) //nolint:gosec // as above
	return base64.StdEncoding.EncodeToString(sum[:])
}
