// SPDX-License-Identifier: AGPL-3.0-or-later

package library

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"shoal/peer"
)

// Kinds of Support.
const (
	SupportChannel  = "channel"
	SupportAccount  = "account"
	SupportInstance = "instance"
)

// Orders of Support: which videos are held where not all fit.
const (
	OrderNewest = "newest" // those published last
	OrderRarest = "rarest" // those with the fewest seeders
)

// Support is a channel, an account or an instance whose videos are held without being watched.
type Support struct {
	ID          string    `json:"id"`   // the key
	Kind        string    `json:"kind"` // SupportChannel, SupportAccount or SupportInstance
	Name        string    `json:"name"` // name or name@host; "" for an instance
	DisplayName string    `json:"displayName"`
	Instance    string    `json:"instance"` // the address of who is asked, scheme://host[:port]
	Budget      int64     `json:"budget"`   // bytes
	Order       string    `json:"order"`
	Added       time.Time `json:"added"`

	Checked  time.Time `json:"checked,omitzero"` // when the list of videos was last read whole
	Next     time.Time `json:"next,omitzero"`    // when it is read next
	Failures int       `json:"failures,omitempty"`
	Problem  string    `json:"problem,omitempty"` // why the last look failed, for a person

	// Uploaded is what swarms gave back that are held for it no longer.
	Uploaded peer.Bytes `json:"uploaded"`
	// Refused are videos, by UUID, that a person removed: they are not fetched again.
	Refused []string `json:"refused,omitempty"`
}

// Catalog is what a Support's instance said of the videos there, newest first.
type Catalog struct {
	Videos []Video `json:"videos"`
}

// Video is a video that a Support may hold.
type Video struct {
	UUID      string    `json:"uuid"`
	Name      string    `json:"name"`
	Published time.Time `json:"published"`
	Updated   time.Time `json:"updated"` // as the list says; what follows is asked for when it changes
	Views     int64     `json:"views"`

	Looked     bool        `json:"looked,omitempty"` // Renditions is what there is
	Renditions []Rendition `json:"renditions,omitempty"`
	// Seeders is of the swarm that has the fewest, -1 unknown.
	Seeders int `json:"seeders"`

	Failures int       `json:"failures,omitempty"` // in a row, of joining it
	Retry    time.Time `json:"retry,omitzero"`     // when to try next
	Problem  string    `json:"problem,omitempty"`
}

// Rendition is one way to hold a video: its swarms, two where the sound is in another file.
type Rendition struct {
	Height     int      `json:"height"`
	Bytes      int64    `json:"bytes"`
	Infohashes []string `json:"infohashes,omitempty"` // what is known of them
}

// PutSupport adds or replaces a Support.
func (l *Library) PutSupport(s Support) error {
	if s.ID == "" {
		return errors.New("a support needs an id")
	}
	return l.putJSON(bucketSupports, s.ID, s)
}

// PutCatalog keeps a Support's Catalog.
func (l *Library) PutCatalog(id string, c Catalog) error { return l.putJSON(bucketCatalogs, id, c) }

func (l *Library) putJSON(bucket []byte, key string, v any) error {
	record, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding for the library: %w", err)
	}
	err = l.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(bucket).Put([]byte(key), record) })
	if err != nil {
		return fmt.Errorf("writing to the library: %w", err)
	}
	return nil
}

// Catalog returns a Support's Catalog, an empty one where there is none.
func (l *Library) Catalog(id string) (c Catalog, err error) {
	err = l.db.View(func(tx *bbolt.Tx) error {
		record := tx.Bucket(bucketCatalogs).Get([]byte(id))
		if record == nil {
			return nil
		}
		return json.Unmarshal(record, &c)
	})
	if err != nil {
		return Catalog{}, fmt.Errorf("reading catalog %s: %w", id, err)
	}
	return c, nil
}

// DeleteSupport removes a Support and its Catalog. It is no error where there is none.
func (l *Library) DeleteSupport(id string) error {
	err := l.db.Update(func(tx *bbolt.Tx) error {
		return errors.Join(tx.Bucket(bucketSupports).Delete([]byte(id)), tx.Bucket(bucketCatalogs).Delete([]byte(id)))
	})
	if err != nil {
		return fmt.Errorf("deleting from the library: %w", err)
	}
	return nil
}

// Supports returns all of them, oldest first. It goes on after one that cannot be read, and returns
// the errors joined.
func (l *Library) Supports() (list []Support, err error) {
	var errs []error
	err = l.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketSupports).ForEach(func(key, record []byte) error {
			var s Support
			if err := json.Unmarshal(record, &s); err != nil {
				errs = append(errs, fmt.Errorf("decoding support %s: %w", key, err))
				return nil
			}
			list = append(list, s)
			return nil
		})
	})
	slices.SortFunc(list, func(x, y Support) int {
		return cmp.Or(x.Added.Compare(y.Added), cmp.Compare(x.ID, y.ID))
	})
	return list, errors.Join(append(errs, err)...)
}
