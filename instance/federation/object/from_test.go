// SPDX-License-Identifier: AGPL-3.0-or-later

package object_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"shoal/instance/federation/object"
	"shoal/instance/federation/vocab"
	"shoal/instance/store"
)

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCapturedVideo(t *testing.T) {
	o, err := vocab.ParseVideo(readFile(t, "video-object.json"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := object.ToVideo(o)
	if err != nil {
		t.Fatal(err)
	}
	if v.Host != "127.0.0.1:9001" || v.Title != "Sample video renamed" || v.Description != "New description" || v.Account != "http://127.0.0.1:9001/accounts/alice" ||
		v.Channel != "http://127.0.0.1:9001/video-channels/alice_channel" || v.Category != (store.Term{ID: "2", Label: "Films"}) || v.AspectRatio != 1.3333 ||
		!strings.Contains(v.Thumbnail, "/thumbnails/") || !strings.Contains(v.Preview, "/previews/") || v.Privacy != store.Public || !v.DownloadEnabled ||
		v.EmbedURL != "http://127.0.0.1:9001/videos/embed/4e1f2f28-1822-4544-bf7c-52e111041379" || v.LikesURL != v.ID+"/likes" || v.ChaptersURL != v.ID+"/chapters" {
		t.Errorf("video %+v", v)
	}
	if len(v.Files) != 2 || v.Files[0].Resolution != 480 || len(v.Playlists) != 1 || len(v.Playlists[0].Files) != 2 || len(v.Playlists[0].Infohashes) != 2 {
		t.Errorf("files %+v, playlists %+v", v.Files, v.Playlists)
	}
}

func TestVideoOfEight(t *testing.T) {
	o, err := vocab.ParseVideo(readFile(t, "video-8.json"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := object.ToVideo(o)
	if err != nil {
		t.Fatal(err)
	}
	if v.Account != "" || v.Channel != "" || v.Page != "https://tube.example/w/abcdefg" || v.EmbedURL != "https://tube.example/videos/embed/abc" ||
		v.CommentsPolicy != store.CommentsRequiresApproval || !reflect.DeepEqual(v.Tags, []string{"newtag"}) || v.Thumbnail != "https://tube.example/t.webp" {
		t.Errorf("video %+v", v)
	}
}

func TestHostileVideo(t *testing.T) {
	long := strings.Repeat("é", 50_000)
	o := &vocab.Video{
		ID: "https://evil.example/v", UUID: "4E1F2F28-1822-4544-BF7C-52E111041379", Name: "  Vec<T>\n\u202etitle " + long,
		Content: "<script>alert(1)</script>text <https://a.example/x> 1 < 2", Support: "<img src=x onerror=alert(1)>money",
		Icon:  []vocab.Image{{URL: "javascript:alert(1)", MediaType: "image/png", Width: 1000}, {URL: "https://evil.example/i.jpg", MediaType: "image/jpeg", Width: 200}},
		Likes: "file:///etc/passwd", Views: 1 << 53, Category: &vocab.Identifier{Identifier: "2", Name: " x "}, Language: &vocab.Identifier{Identifier: "a b"},
	}
	for range 100 {
		o.Tag = append(o.Tag, vocab.Link{Type: "Hashtag", Name: "#" + long}, vocab.Link{Type: "Hashtag", Name: "#good"})
		o.Links = append(o.Links, vocab.TrackerLink("wss://evil.example/"+long), vocab.Link{MediaType: "video/mp4", Href: "https://evil.example/" + long},
			vocab.TrackerLink("wss://evil.example/socket"), vocab.Link{MediaType: "video/mp4", Href: "https://evil.example/f"})
	}
	v, err := object.ToVideo(o)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(v.Title, "Vec<T> title é") || utf8.RuneCountInString(v.Title) > 120 {
		t.Errorf("title %q", v.Title)
	}
	if v.Description != "text https://a.example/x 1 < 2" || v.Support != "money" || v.Category.Label != "x" || v.Language != (store.Term{}) {
		t.Errorf("texts %q, %q, %+v", v.Description, v.Support, v.Category)
	}
	if v.Thumbnail != "https://evil.example/i.jpg" || v.Preview != v.Thumbnail || v.LikesURL != "" || v.Views > 1<<41 || v.UUID != "4e1f2f28-1822-4544-bf7c-52e111041379" {
		t.Errorf("video %+v", v)
	}
	if len(v.Tags) != 1 || len(v.Trackers) > 20 || len(v.Files) > 60 || v.CommentsPolicy != store.CommentsDisabled || v.Privacy != store.Unlisted {
		t.Errorf("%d tags, %d trackers, %d files", len(v.Tags), len(v.Trackers), len(v.Files))
	}
}

func TestActors(t *testing.T) {
	o, err := vocab.ParseActor(readFile(t, "actor-channel-alice.json"))
	if err != nil {
		t.Fatal(err)
	}
	a, err := object.ToActor(o)
	if err != nil {
		t.Fatal(err)
	}
	if a.Username != "alice_channel" || a.Host != "127.0.0.1:9001" || a.Owner != "http://127.0.0.1:9001/accounts/alice" || a.Summary != "about channel" ||
		a.Support != "channel support" || a.SharedInbox != "http://127.0.0.1:9001/inbox" || a.KeyPEM == "" || a.Name != "Alice Channel Display" {
		t.Errorf("actor %+v", a)
	}
	o.Summary, o.Name = "<p>One</p><p>Two &amp; <a href='x'>three</a></p>", ""
	if a, err = object.ToActor(o); err != nil || a.Summary != "One\nTwo & three" || a.Name != "alice_channel" {
		t.Errorf("actor %+v, %v", a, err)
	}
}

func TestComments(t *testing.T) {
	o, err := vocab.ParseNote(readFile(t, "video-comment-2.json"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := object.ToComment(o)
	if err != nil {
		t.Fatal(err)
	}
	if c.Text != "hi bob" || c.HTML != "<p>hi bob</p>" || c.Author != "http://127.0.0.1:9001/accounts/alice" || c.InReplyTo == "" || c.Created.IsZero() || c.Local {
		t.Errorf("comment %+v", c)
	}
	for content, want := range map[string][2]string{
		`<p>Hello <span class="h-card"><a href="https://m.example/@bob" class="u-url mention">@<span>bob</span></a></span><br>you</p>`: {
			"Hello @bob\nyou", `<p>Hello <a href="https://m.example/@bob" rel="nofollow noreferrer noopener" target="_blank">@bob</a><br>you</p>`,
		},
		`<img src=x onerror=alert(1)><a href="javascript:alert(1)" onclick="x()">click</a><script>alert(1)</script>`: {"click", "click"},
		`<p style="position:fixed">x</p><iframe src="https://evil.example"></iframe>`:                                {"x", "<p>x</p>"},
	} {
		c, err := object.ToComment(&vocab.Note{ID: "https://m.example/1", Content: content})
		if err != nil || c.Text != want[0] || c.HTML != want[1] {
			t.Errorf("%s\ntext %q\nhtml %q, %v", content, c.Text, c.HTML, err)
		}
	}
	c, err = object.ToComment(&vocab.Note{
		ID: "https://m.example/1", MediaType: "text/markdown", Content: "a **b** [x](javascript:alert(1)) <b onclick=x>c</b>\nhttps://a.example ~~gone~~",
	})
	if err != nil || c.Text != "a **b** [x](javascript:alert(1)) c\nhttps://a.example ~~gone~~" ||
		c.HTML != "<p>a <strong>b</strong> x c<br>\n"+`<a href="https://a.example" rel="nofollow noreferrer noopener" target="_blank">https://a.example</a> <del>gone</del></p>` {
		t.Errorf("text %q\nhtml %q, %v", c.Text, c.HTML, err)
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"a <b>b</b>", "<script>x", "<<a href='javascript:x'>>", "&lt;script&gt;", "**x** <https://a.b>", "\u202ex\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 10_000 {
			return
		}
		for _, html := range []string{object.Sanitize(s), object.MarkdownHTML(s)} {
			if again := object.Sanitize(html); again != html {
				t.Fatalf("%q is not clean: %q", html, again)
			}
			if lower := strings.ToLower(html); strings.Contains(lower, "<script") || strings.Contains(lower, `href="javascript`) {
				t.Fatalf("%q", html)
			}
		}
		for _, text := range []string{object.PlainText(s), object.Source(s)} {
			if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
				t.Fatalf("%q", text)
			}
		}
	})
}

// Whatever a video says, its record keeps the bounds and points to the web alone.
func FuzzToVideo(f *testing.F) {
	f.Add(readFile(f, "video-object.json"))
	f.Add(readFile(f, "video-8.json"))
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := vocab.ParseVideo(data)
		if err != nil {
			return
		}
		v, err := object.ToVideo(o)
		if err != nil {
			return
		}
		for _, text := range []string{v.Title, v.Description, v.Support, v.Category.Label} {
			if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
				t.Fatalf("%q", text)
			}
		}
		if utf8.RuneCountInString(v.Title) > 120 || v.Title == "" || utf8.RuneCountInString(v.Description) > 10_000 || len(v.Tags) > 20 || v.Duration < 0 || v.Views < 0 {
			t.Fatalf("%+v", v)
		}
		addresses := []string{v.ID, v.Page, v.Thumbnail, v.Preview, v.EmbedURL, v.LikesURL, v.DislikesURL, v.SharesURL, v.CommentsURL, v.ChaptersURL}
		files := slices.Clone(v.Files)
		for _, p := range v.Playlists {
			addresses = append(addresses, p.MasterURL, p.SegmentsURL)
			files = append(files, p.Files...)
		}
		for _, file := range files {
			addresses = append(addresses, file.URL, file.TorrentURL, file.MetadataURL)
			if (file.Infohash == "") != (file.Magnet == "") || file.Size < 0 || file.FPS < -1 {
				t.Fatalf("%+v", file)
			}
		}
		for _, a := range addresses {
			if a != "" && vocab.Host(a) == "" {
				t.Fatalf("%q is no address of the web", a)
			}
		}
	})
}
