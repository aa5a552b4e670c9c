// SPDX-License-Identifier: AGPL-3.0-or-later

package peertube

// ActorImage is one size of an avatar or a banner.
type ActorImage struct {
	Width  Int `json:"width"`
	Height Int `json:"height"`
	// Path is on the instance that answers; later PeerTubes give FileURL.
	Path      string `json:"path"`
	FileURL   string `json:"fileUrl,omitempty"`
	CreatedAt Time   `json:"createdAt"`
	UpdatedAt Time   `json:"updatedAt"`
}

// AccountSummary is the account as a video in a list carries it.
type AccountSummary struct {
	ID          Int              `json:"id"`
	Name        string           `json:"name"`
	DisplayName string           `json:"displayName"`
	URL         string           `json:"url"`
	Host        string           `json:"host"`
	Avatars     List[ActorImage] `json:"avatars"`
}

// ChannelSummary is the channel as a video in a list carries it.
type ChannelSummary struct {
	ID          Int              `json:"id"`
	Name        string           `json:"name"`
	DisplayName string           `json:"displayName"`
	URL         string           `json:"url"`
	Host        string           `json:"host"`
	Avatars     List[ActorImage] `json:"avatars"`
}

// Account is an account (GET /api/v1/accounts/{name}).
type Account struct {
	AccountSummary
	// HostRedundancyAllowed is absent in details of another instance's video.
	HostRedundancyAllowed *bool      `json:"hostRedundancyAllowed,omitempty"`
	FollowingCount        Int        `json:"followingCount"`
	FollowersCount        Int        `json:"followersCount"`
	Description           NullString `json:"description"`
	CreatedAt             Time       `json:"createdAt"`
	UpdatedAt             Time       `json:"updatedAt"`
	// UserID is absent for another instance's account.
	UserID Int `json:"userId,omitempty"`
}

// Channel is a channel (GET /api/v1/video-channels/{name}).
type Channel struct {
	ChannelSummary
	HostRedundancyAllowed *bool            `json:"hostRedundancyAllowed,omitempty"`
	FollowingCount        Int              `json:"followingCount"`
	FollowersCount        Int              `json:"followersCount"`
	Description           NullString       `json:"description"`
	Support               NullString       `json:"support"`
	IsLocal               bool             `json:"isLocal"`
	Banners               List[ActorImage] `json:"banners"`
	CreatedAt             Time             `json:"createdAt"`
	UpdatedAt             Time             `json:"updatedAt"`
	OwnerAccount          *Account         `json:"ownerAccount,omitempty"`
}
