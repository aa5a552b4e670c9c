// SPDX-License-Identifier: AGPL-3.0-or-later

package author

import (
	"context"
	"net/http"
	"testing"
	"time"

	"shoal/assets/contexts"
	"shoal/instance/address"
	"shoal/instance/federation/httpsig"
	"shoal/instance/federation/ldsig"
	"shoal/instance/federation/vocab"
	"shoal/instance/store"
)

const base = address.Base("https://own.example")

func TestWhatIsSignedIsTheActors(t *testing.T) {
	db, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.EnsureRoot(time.Now()); err != nil {
		t.Fatal(err)
	}
	suite, err := ldsig.New(ldsig.Options{Contexts: contexts.Files()})
	if err != nil {
		t.Fatal(err)
	}
	a := New(db.Snapshot, base, suite)
	for name, id := range map[string]string{
		store.NameInstance: base.Actor(), store.NameRoot: base.Account(store.NameRoot), store.NameChannel: base.Channel(store.NameChannel),
	} {
		key, _ := db.Snapshot().Key(name)
		body, err := a.Sign(t.Context(), id, vocab.Activity{
			Context: vocab.Context("Like"), ID: id + "/likes/1", Type: "Like", Actor: vocab.IDRef(id), Object: vocab.IDRef("https://other.example/v"),
		})
		if err != nil {
			t.Fatal(err)
		}
		if creator, _, err := ldsig.Creator(body); err != nil || creator != id {
			t.Errorf("the creator is %s, %v", creator, err)
		}
		if err := suite.Verify(t.Context(), body, &key.PublicKey); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://other.example/inbox", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Request(r, id, body); err != nil {
			t.Fatal(err)
		}
		v := httpsig.NewVerifier(httpsig.Options{Keys: func(_ context.Context, keyID string, _ bool) (httpsig.Key, error) {
			return httpsig.Key{Public: &key.PublicKey, Owner: keyID}, nil
		}})
		if got, err := v.Verify(t.Context(), r, body); err != nil || got.Owner != id {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for _, id := range []string{"https://other.example/accounts/root", base.Account("nobody"), string(base), ""} {
		if _, err := a.Sign(t.Context(), id, vocab.Activity{}); err == nil {
			t.Errorf("signed as %q", id)
		}
	}
}

func TestName(t *testing.T) {
	for id, want := range map[string]string{
		base.Actor(): "peertube", base.Account("a.b"): "a.b", base.Channel("c"): "c",
		base.Account("a") + "/followers": "", "https://own.example.org/accounts/a": "", string(base) + "/accounts/": "",
		string(base) + "/accounts/%zz": "",
	} {
		if got, ok := Name(base, id); (ok != (want != "")) || (ok && got != want) {
			t.Errorf("%s: %q, %v", id, got, ok)
		}
	}
}
