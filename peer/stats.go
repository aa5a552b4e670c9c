// SPDX-License-Identifier: AGPL-3.0-or-later

package peer

import "time"

// Stats are the figures of one swarm, at most half a second old.
type Stats struct {
	Infohash   string          `json:"infohash"`
	Name       string          `json:"name"`
	Bytes      int64           `json:"bytes"`     // size of the payload; 0 until the metadata is known
	Completed  int64           `json:"completed"` // bytes verified on disk
	Complete   bool            `json:"complete"`
	Paused     bool            `json:"paused"`
	Peers      Peers           `json:"peers"`
	Seeders    int             `json:"seeders"`    // as the trackers say; -1 unknown
	Leechers   int             `json:"leechers"`   // as the trackers say; -1 unknown
	Up         float64         `json:"up"`         // bytes per second
	Down       float64         `json:"down"`       // bytes per second
	Uploaded   Bytes           `json:"uploaded"`   // payload sent
	Downloaded Bytes           `json:"downloaded"` // verified payload
	Wasted     int64           `json:"wasted"`     // payload received twice, unasked, or failing its hash
	Trackers   []TrackerStatus `json:"trackers,omitempty"`
	Problem    string          `json:"problem,omitempty"` // the last thing a person should know
}

// TrackerStatus is what is known of one tracker.
type TrackerStatus struct {
	URL          string    `json:"url"`
	Connected    bool      `json:"connected"`
	Seeders      int       `json:"seeders"`
	Leechers     int       `json:"leechers"`
	LastAnnounce time.Time `json:"lastAnnounce,omitzero"`
	NextAnnounce time.Time `json:"nextAnnounce,omitzero"`
	Warning      string    `json:"warning,omitempty"`
	LastError    string    `json:"lastError,omitempty"`
}
