// SPDX-License-Identifier: AGPL-3.0-or-later

package peertube

import "time"

// Code says what kind of failure an Error is. Codes are stable: scripts and the
// window's choices depend on them.
type Code string

// The codes of Error.
const (
	// CodeBadURL is an address that ParseURL does not take.
	CodeBadURL Code = "badURL"
	// CodeNotFound is a video, channel or account that the instance does not know (404).
	CodeNotFound Code = "notFound"
	// CodeForbidden is an answer that needs an account or a password (401, 403).
	CodeForbidden Code = "forbidden"
	// CodeBadRequest is a request that the instance does not take (other 4xx).
	CodeBadRequest Code = "badRequest"
	// CodeNotPeerTube is an answer that is not PeerTube's API.
	CodeNotPeerTube Code = "notPeerTube"
	// CodeTooLarge is an answer over the size limit.
	CodeTooLarge Code = "tooLarge"
	// CodeTimeout is an answer that did not come in time.
	CodeTimeout Code = "timeout"
	// CodeUnreachable is an instance without a connection: no such name, refused, reset.
	CodeUnreachable Code = "unreachable"
	// CodeTLS is a failed TLS handshake or certificate.
	CodeTLS Code = "tls"
	// CodeRateLimited is 429.
	CodeRateLimited Code = "rateLimited"
	// CodeServer is 5xx.
	CodeServer Code = "server"
	// CodeBlocked is an address that must not be asked: a private one that an
	// answer named, or a step from https down to http.
	CodeBlocked Code = "blocked"
	// CodeRedirect is a chain of redirects that is too long or broken.
	CodeRedirect Code = "redirect"
	// CodeCanceled is a call whose context was cancelled.
	CodeCanceled Code = "canceled"
	// CodeNotPlayable is a video without a file that can be played.
	CodeNotPlayable Code = "notPlayable"
)

// Error is every failure of this package that a person may see.
type Error struct {
	Code Code
	// Text is one sentence for a person: what failed and what to do.
	Text string
	// URL is what was asked; empty for CodeBadURL.
	URL string
	// Status is the HTTP status, 0 without an answer.
	Status int
	// RetryAfter is how long the instance asks to wait (429, 503); 0 if it does not say.
	RetryAfter time.Duration
	// Err is the cause, for the log.
	Err error
}

// Error returns the sentence for a person.
func (e *Error) Error() string { return e.Text }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Problem is the body of PeerTube's error answers (RFC 9457,
// application/problem+json).
type Problem struct {
	Type          string                  `json:"type"`
	Title         string                  `json:"title,omitempty"`
	Detail        string                  `json:"detail"`
	Instance      string                  `json:"instance,omitempty"`
	Status        Int                     `json:"status"`
	Code          string                  `json:"code,omitempty"`
	InvalidParams map[string]InvalidParam `json:"invalid-params,omitzero"`
	Docs          string                  `json:"docs,omitempty"`
	// OriginURL is where a video is to be had that this instance does not show.
	OriginURL string `json:"originUrl,omitempty"`
}

// InvalidParam says what is wrong with one parameter of a request.
type InvalidParam struct {
	Type     string `json:"type"`
	Value    any    `json:"value,omitempty"`
	Message  string `json:"msg"`
	Path     string `json:"path"`
	Location string `json:"location"`
}
