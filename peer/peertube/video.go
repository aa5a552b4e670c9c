// SPDX-License-Identifier: AGPL-3.0-or-later

package peertube

// Constant is one of PeerTube's numbered words (category, licence, privacy,
// state, resolution). ID is nil where PeerTube says null ("Unknown").
type Constant struct {
	ID    *Int   `json:"id"`
	Label string `json:"label"`
}

// NewConstant returns the numbered word.
func NewConstant(id int64, label string) Constant {
	i := Int(id)
	return Constant{ID: &i, Label: label}
}

// Number returns the ID, and 0 where there is none.
func (c Constant) Number() int64 {
	if c.ID == nil {
		return 0
	}
	return int64(*c.ID)
}

// Language is a video's language: an ISO 639 code, nil where it is unknown.
type Language struct {
	ID    *string `json:"id"`
	Label string  `json:"label"`
}

// Values of Video.Privacy.
const (
	PrivacyPublic            = 1
	PrivacyUnlisted          = 2
	PrivacyPrivate           = 3
	PrivacyInternal          = 4
	PrivacyPasswordProtected = 5
)

// Values of VideoDetails.State that a viewer meets.
const (
	StatePublished      = 1
	StateToTranscode    = 2
	StateToImport       = 3
	StateWaitingForLive = 4
	StateLiveEnded      = 5
)

// Values of VideoDetails.CommentsPolicy.
const (
	CommentsEnabled          = 1
	CommentsDisabled         = 2
	CommentsRequiresApproval = 3
)

// Video is a video as lists show it (GET /api/v1/videos, search, channels).
type Video struct {
	ID        Int    `json:"id"`
	UUID      string `json:"uuid"`
	ShortUUID string `json:"shortUUID"`
	// URL is the ActivityPub id: the watch page on the origin instance.
	URL      string   `json:"url"`
	Name     string   `json:"name"`
	Category Constant `json:"category"`
	Licence  Constant `json:"licence"`
	Language Language `json:"language"`
	Privacy  Constant `json:"privacy"`
	NSFW     bool     `json:"nsfw"`
	// TruncatedDescription is the description's first 250 characters;
	// Description is the same in lists and the whole text in details.
	TruncatedDescription NullString `json:"truncatedDescription"`
	Description          NullString `json:"description"`
	IsLocal              bool       `json:"isLocal"`
	// Duration is in whole seconds.
	Duration Int `json:"duration"`
	// AspectRatio is width by height; 0 is unknown.
	AspectRatio NullFloat `json:"aspectRatio"`
	Views       Int       `json:"views"`
	Viewers     Int       `json:"viewers"`
	Likes       Int       `json:"likes"`
	Dislikes    Int       `json:"dislikes"`
	// Paths are on the instance that answers, with a leading slash.
	ThumbnailPath string `json:"thumbnailPath"`
	PreviewPath   string `json:"previewPath"`
	EmbedPath     string `json:"embedPath"`
	// Thumbnails are what later PeerTubes say instead of the two paths.
	Thumbnails            List[Thumbnail] `json:"thumbnails,omitempty"`
	CreatedAt             Time            `json:"createdAt"`
	UpdatedAt             Time            `json:"updatedAt"`
	PublishedAt           Time            `json:"publishedAt"`
	OriginallyPublishedAt Time            `json:"originallyPublishedAt"`
	IsLive                bool            `json:"isLive"`
	Account               AccountSummary  `json:"account"`
	Channel               ChannelSummary  `json:"channel"`
}

// Thumbnail is one size of a video's picture.
type Thumbnail struct {
	Width   Int    `json:"width"`
	Height  Int    `json:"height"`
	FileURL string `json:"fileUrl"`
}

// VideoList is one page of videos. Total counts all pages.
type VideoList struct {
	Total Int         `json:"total"`
	Data  List[Video] `json:"data"`
}

// VideoDetails is one video with its files (GET /api/v1/videos/{id}). Account
// and Channel stand for the ones of the embedded Video, which are neither read
// nor written.
type VideoDetails struct {
	Video
	Account            Account                 `json:"account"`
	Channel            Channel                 `json:"channel"`
	Blacklisted        bool                    `json:"blacklisted"`
	BlacklistedReason  NullString              `json:"blacklistedReason"`
	StreamingPlaylists List[StreamingPlaylist] `json:"streamingPlaylists"`
	// Files are the web videos: one complete file a resolution.
	Files              List[VideoFile] `json:"files"`
	Support            NullString      `json:"support"`
	Tags               List[string]    `json:"tags"`
	CommentsEnabled    bool            `json:"commentsEnabled"`
	CommentsPolicy     Constant        `json:"commentsPolicy"`
	DownloadEnabled    bool            `json:"downloadEnabled"`
	WaitTranscoding    bool            `json:"waitTranscoding"`
	InputFileUpdatedAt Time            `json:"inputFileUpdatedAt"`
	State              Constant        `json:"state"`
	TrackerURLs        List[string]    `json:"trackerUrls"`
}

// PlaylistHLS is the one value of StreamingPlaylist.Type.
const PlaylistHLS = 1

// StreamingPlaylist is a video's HLS form. Each of its files is a fragmented
// mp4 with a torrent of its own.
type StreamingPlaylist struct {
	ID                Int              `json:"id"`
	Type              Int              `json:"type"`
	PlaylistURL       string           `json:"playlistUrl"`
	SegmentsSha256URL NullString       `json:"segmentsSha256Url"`
	Redundancies      List[Redundancy] `json:"redundancies"`
	Files             List[VideoFile]  `json:"files"`
}

// Redundancy is another instance's copy of a playlist.
type Redundancy struct {
	BaseURL string `json:"baseUrl"`
}

// VideoFile is one file of a video: a web video or an HLS file.
type VideoFile struct {
	ID Int `json:"id"`
	// Resolution's ID is the short side in pixels ("480p" is 480), 0 for a
	// file of sound alone.
	Resolution Constant `json:"resolution"`
	// Width and Height are in pixels; older PeerTubes leave them out (0).
	Width     Int        `json:"width"`
	Height    Int        `json:"height"`
	MagnetURI NullString `json:"magnetUri"`
	// Size is in bytes.
	Size Int `json:"size"`
	// FPS is frames per second, -1 where it is unknown.
	FPS                Int        `json:"fps"`
	TorrentURL         NullString `json:"torrentUrl"`
	TorrentDownloadURL NullString `json:"torrentDownloadUrl"`
	FileURL            NullString `json:"fileUrl"`
	FileDownloadURL    NullString `json:"fileDownloadUrl"`
	MetadataURL        NullString `json:"metadataUrl"`
	// HasAudio and HasVideo are nil with older PeerTubes, which do not say.
	HasAudio *bool `json:"hasAudio,omitempty"`
	HasVideo *bool `json:"hasVideo,omitempty"`
	// Storage is 0 for the file system, 1 for an object store, nil for a
	// remote instance's file.
	Storage *Int `json:"storage"`
}
