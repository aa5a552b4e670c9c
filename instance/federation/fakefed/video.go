// SPDX-License-Identifier: AGPL-3.0-or-later

package fakefed

// Video serves a Video object of the Group channel and the Person alice, with one file, and its
// collections, and returns its id and a copy of the document that was served.
func (s *Server) Video(uuid, title, channel string) (id string, document map[string]any) {
	path := "/videos/watch/" + uuid
	id = s.URL + path
	for _, c := range []string{"likes", "dislikes", "announces", "comments"} {
		s.Serve(path+"/"+c, map[string]any{
			"@context": defaultContext(), "id": id + "/" + c, "type": "OrderedCollection", "totalItems": 0, "orderedItems": []any{},
		})
	}
	file := s.URL + "/static/web-videos/" + uuid + "-240.mp4"
	torrent := s.URL + "/lazy-static/torrents/" + uuid + "-240.torrent"
	document = map[string]any{
		"@context": defaultContext(), "type": "Video", "id": id, "name": title, "duration": "PT4S", "uuid": uuid, "views": 3,
		"sensitive": false, "waitTranscoding": false, "state": 1, "commentsEnabled": true, "commentsPolicy": 1, "downloadEnabled": true,
		"published": "2026-11-22T15:30:18.091Z", "updated": "2026-11-22T15:30:18.091Z", "mediaType": "text/markdown",
		"content": "About **" + title + "**", "tag": []any{map[string]any{"type": "Hashtag", "name": "fake"}}, "subtitleLanguage": []any{},
		"icon": []any{map[string]any{
			"type": "Image", "url": s.URL + "/lazy-static/thumbnails/" + uuid + ".jpg", "mediaType": "image/jpeg", "width": 280, "height": 157,
		}},
		"url": []any{
			map[string]any{"type": "Link", "mediaType": "text/html", "href": id},
			map[string]any{"type": "Link", "mediaType": "video/mp4", "href": file, "height": 240, "width": 320, "size": 55577, "fps": 24},
			map[string]any{"type": "Link", "mediaType": "application/x-bittorrent", "href": torrent, "height": 240, "width": 320, "fps": 24},
			map[string]any{
				"type": "Link", "mediaType": "application/x-bittorrent;x-scheme-handler/magnet", "height": 240, "width": 320, "fps": 24,
				"href": "magnet:?xs=" + torrent + "&xt=urn:btih:2d91256d35b97546abaecdf472c7eedd4f18025f&dn=video&ws=" + file,
			},
		},
		"likes": id + "/likes", "dislikes": id + "/dislikes", "shares": id + "/announces", "comments": id + "/comments",
		"attributedTo": []any{
			map[string]any{"type": "Person", "id": s.URL + "/accounts/alice"},
			map[string]any{"type": "Group", "id": s.URL + "/video-channels/" + channel},
		},
		"to": []any{"https://www.w3.org/ns/activitystreams#Public"}, "cc": []any{s.URL + "/accounts/alice/followers"},
	}
	s.Serve(path, document)
	return id, document
}
